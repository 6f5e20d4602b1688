import type { RawFrame } from "../shared/frame.js";

/**
 * Which samples newer than the watermark are in Kafka already. Every poll reads them again, and drops them by this:
 * each (series, millisecond) is sent once. What the watermark has passed is never read again, and is forgotten.
 */
export interface SentSamples {
  /** Indices of `timestamps` (ascending) that were not sent yet. */
  unsent(seriesKey: string, timestamps: Float64Array): number[];
  add(frame: RawFrame): void;
  /** Forgets everything up to the watermark, and series that have nothing newer. */
  forgetUpTo(watermark: number): void;
  /** How many timestamps are remembered. */
  size(): number;
}

export function createSentSamples(): SentSamples {
  /** Ascending timestamps by series key: a handful each, the overlap over the scrape interval. */
  const sent = new Map<string, number[]>();
  let forgotten = -Infinity;

  return {
    unsent: (seriesKey, timestamps) => {
      const known = sent.get(seriesKey) ?? [];
      const indices: number[] = [];
      let k = 0;
      for (let i = 0; i < timestamps.length; i++) {
        const timestamp = timestamps[i];
        while (k < known.length && known[k] < timestamp) k++;
        if (known[k] !== timestamp && timestamp > forgotten) indices.push(i);
      }
      return indices;
    },

    add: (frame) => {
      const { timestamp } = frame;
      if (timestamp <= forgotten) return;
      for (const { key } of frame.series) {
        const known = sent.get(key);
        if (known === undefined) sent.set(key, [timestamp]);
        else insert(known, timestamp);
      }
    },

    forgetUpTo: (watermark) => {
      if (watermark <= forgotten) return;
      forgotten = watermark;
      for (const [key, known] of sent) {
        let old = 0;
        while (old < known.length && known[old] <= watermark) old++;
        if (old === known.length) sent.delete(key);
        else if (old > 0) known.splice(0, old);
      }
    },

    size: () => {
      let size = 0;
      for (const known of sent.values()) size += known.length;
      return size;
    },
  };
}

/** Late samples are few: looking from the end finds the place at once. */
function insert(ascending: number[], timestamp: number): void {
  let at = ascending.length;
  while (at > 0 && ascending[at - 1] > timestamp) at--;
  if (ascending[at - 1] !== timestamp) ascending.splice(at, 0, timestamp);
}
