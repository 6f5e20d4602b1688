import type { OffsetRange } from "../../shared/kafka.js";
import type { Window } from "../window.js";

/**
 * Where in metrics.raw the messages of a range of event time lie. A day of live frames lies together, but what was backfilled
 * lies wherever it was sent; one pass over the topic notes both, so that each part of the range is then read by itself,
 * and not everything behind it. As large as the range and the topic divided by their resolutions, however much they hold.
 */
export interface SentExtents {
  readonly note: (partition: number, offset: number, timestamp: number) => void;
  /** The offsets between which all messages of the window lie, with others. Within the noted range only. */
  readonly within: (window: Window) => Map<number, OffsetRange[]>;
}

/** The range is told apart into this many stretches of time, none shorter than a second. */
const BUCKETS = 4096;
const MIN_BUCKET_MS = 1_000;

/** Offsets that are no further apart are read as one: a fetch holds more messages than this anyway. */
const NEAR_OFFSETS = 5_000;

export function createSentExtents(range: Window, nearOffsets = NEAR_OFFSETS): SentExtents {
  const bucketMs = Math.max(MIN_BUCKET_MS, Math.ceil((range.to - range.from) / BUCKETS));
  const bucketOf = (timestamp: number) => Math.floor((timestamp - range.from - 1) / bucketMs);
  /** By partition and bucket: first and last offset of each extent, one after the other. */
  const extents = new Map<number, Map<number, number[]>>();

  return {
    note: (partition, offset, timestamp) => {
      if (timestamp <= range.from || timestamp > range.to) return;
      let buckets = extents.get(partition);
      if (buckets === undefined) extents.set(partition, (buckets = new Map<number, number[]>()));
      const bucket = bucketOf(timestamp);
      const ends = buckets.get(bucket);
      if (ends === undefined) buckets.set(bucket, [offset, offset]);
      else if (offset - ends[ends.length - 1] <= nearOffsets) ends[ends.length - 1] = offset;
      else ends.push(offset, offset);
    },
    within: ({ from, to }) => {
      const ranges = new Map<number, OffsetRange[]>();
      for (const [partition, buckets] of extents) {
        const found: [number, number][] = [];
        for (let bucket = bucketOf(from + 1); bucket <= bucketOf(to); bucket++) {
          const ends = buckets.get(bucket) ?? [];
          for (let i = 0; i < ends.length; i += 2) found.push([ends[i], ends[i + 1]]);
        }
        if (found.length > 0) ranges.set(partition, joined(found, nearOffsets));
      }
      return ranges;
    },
  };
}

function joined(extents: [number, number][], nearOffsets: number): OffsetRange[] {
  const result: [number, number][] = [];
  for (const [first, last] of extents.sort(([a], [b]) => a - b)) {
    const before = result.at(-1);
    if (before !== undefined && first - before[1] <= nearOffsets) before[1] = Math.max(before[1], last);
    else result.push([first, last]);
  }
  return result.map(([first, last]) => ({ next: BigInt(first), end: BigInt(last + 1) }));
}
