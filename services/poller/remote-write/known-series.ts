import type { Entity, Labels, Series } from "../../shared/frame.js";
import type { SeriesRefusal } from "./refusals.js";

/** A series as requests name it. */
export interface KnownSeries {
  readonly metric: string;
  /** Without `__name__`. */
  readonly labels: Labels;
  readonly entity: Entity;
  /** The type word of its family that came with it, as 2.0 can say; null where none came. */
  readonly family: string | null;
  /** With the type that was last told; null before. */
  typed: { readonly series: Series; readonly version: number } | null;
}

/** Series beyond so many are forgotten, oldest first: meeting them again costs more then, and nothing else changes. */
const KNOWN_MAX = 200_000;

/**
 * The series of late, by what stood for their labels in the request: labels are most of the bytes, and nearly always were
 * seen before.
 */
export interface SeriesMemory {
  readonly get: (key: string) => KnownSeries | undefined;
  /** Keeps what a series was found to be, unless it is refused; returns that. */
  readonly keep: (key: string, found: KnownSeries | SeriesRefusal) => KnownSeries | SeriesRefusal;
}

export function createSeriesMemory(max = KNOWN_MAX): SeriesMemory {
  const known = new Map<string, KnownSeries>();
  return {
    get: (key) => known.get(key),
    keep: (key, found) => {
      if (typeof found === "string") return found;
      if (known.size >= max) known.delete(known.keys().next().value!);
      known.set(key, found);
      return found;
    },
  };
}
