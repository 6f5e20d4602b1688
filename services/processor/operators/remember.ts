import { type OperatorFunction, concatMap } from "rxjs";
import { type CleanFrame, flagBits } from "../../shared/frame.js";
import type { FeaturePlan } from "../feature-plan.js";
import type { FrameJudge } from "../rules/judge-frame.js";
import type { Changes } from "../state/changes.js";
import { judgeAgain, judgeNewest } from "../state/judge.js";
import {
  type EntityState,
  type PartitionState,
  advance,
  entityState,
  retentionMs,
  seriesWindow,
} from "../state/partition-state.js";
import { type AddOutcome, addSample } from "../state/series-window.js";
import { type TypeChange, sampleForm, typeChange } from "../state/type-change.js";
import type { At } from "./validate.js";

export interface SettleOptions {
  readonly plan: FeaturePlan;
  /** Values that broke a rule are in no window. */
  readonly strict: boolean;
  /** What the configured rules say of a frame; null where there are none. */
  readonly judge: FrameJudge | null;
  /** Counts what became of samples that did not simply append; of one, where it stands in its frame. */
  readonly count: (outcome: SampleOutcome, samples: number, place?: number) => void;
  /** Told where a series' newest sample is of another type than the one before it. No feature depends on that. */
  readonly onTypeChange: (change: TypeChange) => void;
}

/** `needs_replay`, besides what else is said of a sample: rows older than the lateness depend on it, or it is such a row. */
export type SampleOutcome = Exclude<AddOutcome, "appended"> | "too_late" | "needs_replay";

/**
 * Puts the samples of each frame into the windows of their series, and has them judged by their value or rate. Before a frame
 * has old samples dropped, an empty change tells how far back rows can be corrected after it.
 */
export function remember(
  options: SettleOptions,
  state: PartitionState,
): OperatorFunction<At<CleanFrame>, Changes> {
  return concatMap((input) => changesOf(options, state, input));
}

function* changesOf(
  { plan, strict, count, onTypeChange }: SettleOptions,
  state: PartitionState,
  input: At<CleanFrame>,
): Generator<Changes> {
  const { offset, frame } = input;
  const { timestamp, series, values, flags, given } = frame;
  const entity = entityState(state, frame.entity, timestamp, plan);
  if (timestamp <= entity.watermark - retentionMs(plan)) {
    // All rows that it could touch are for a replay of their range.
    count("too_late", series.length);
    return;
  }
  const latestMs = Math.max(entity.watermark, timestamp) - plan.latenessMs;
  const correctedFrom = latestMs - plan.reachBackMs;
  yield noChanges(input, entity, correctedFrom);
  advance(state, entity, { timestamp, offset }, plan);

  const changes = noChanges(input, entity, correctedFrom);
  for (let i = 0; i < series.length; i++) {
    // A stale marker says that the series ended; it is no sample.
    if (flags[i] & flagBits.stale) continue;
    const window = seriesWindow(entity, series[i], i, plan);
    const isExcluded = strict && (flags[i] & flagBits.invalid) !== 0;
    const form = sampleForm(values[i], given, i);
    const sample = { series: series[i], timestamp, value: values[i], form, flags: flags[i], isExcluded };
    const formBefore = window.newestForm;
    const outcome = addSample(window, sample);
    if (outcome === "appended") {
      const change = typeChange(window, plan, formBefore);
      if (change !== null) onTypeChange(change);
    } else {
      count(outcome, 1, i);
    }
    if (outcome === "duplicate" || outcome === "superseded") continue;
    if (timestamp < latestMs) count("needs_replay", 1, i);
    changes.windows.push(window);
    changes.samples.push(i);
    changes.outcomes.push(outcome);
    changes.from.push(timestamp);
    changes.to.push(outcome === "appended" ? judgeNewest(window, plan) : judgeAgain(window, plan, timestamp));
  }
  yield changes;
}

function noChanges(input: At<CleanFrame>, entity: EntityState, correctedFrom: number): Changes {
  const none = { windows: [], samples: [], outcomes: [], from: [], to: [], gone: [], flipped: [] };
  return { input, entity, correctedFrom, ...none };
}
