import type { CleanFrame } from "../../shared/frame.js";
import type { At } from "../operators/validate.js";
import type { EntityState } from "./partition-state.js";
import type { AddOutcome, SeriesWindow } from "./series-window.js";

/**
 * What a frame changed in the state, as parallel columns: one entry for each sample that a window took, for each that was
 * computed of them, and for each other series whose gaps they have filled anew. Each operator from `remember` on widens the
 * times that are different now; the rows of these times, and those that see them, are to be emitted.
 */
export interface Changes {
  readonly input: At<CleanFrame>;
  readonly entity: EntityState;
  /** Rows older than this are left to a replay. */
  readonly correctedFrom: number;
  readonly windows: SeriesWindow[];
  /** Where the sample stands in the frame; −1 for what is in none. */
  readonly samples: number[];
  readonly outcomes: AddOutcome[];
  /** The first and the last time of the window whose entry is not what it was, milliseconds since the epoch. */
  readonly from: number[];
  readonly to: number[];
  /** Times of points that had been filled in, and are not there any more. */
  readonly gone: Gone[];
  /** Rows whose frame is incomplete now and was not before, or the other way round. */
  readonly flipped: Flipped[];
}

export interface Flipped {
  readonly window: SeriesWindow;
  readonly timestamp: number;
}

export interface Gone {
  readonly window: SeriesWindow;
  readonly timestamp: number;
  readonly type: number;
}
