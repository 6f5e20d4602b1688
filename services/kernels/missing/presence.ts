/**
 * The recent history of an entity as a presence table: row-major, `frames` rows oldest first by `width` series, 1 where
 * the frame has a sample of the series. Its rows are those of the lookback, all of them, on the grid of the interval:
 * a frame that never came is a row of zeros.
 */
export interface PresenceTable {
  readonly present: Uint8Array;
  readonly frames: number;
  readonly width: number;
}

/**
 * Writes at `out[outOffset + s]` the row of series s's first sample; `frames` for a series without any: it is not
 * expected. A series is expected from its first sample on, and missing where it is expected and not present.
 */
export function firstPresences(
  { present, frames, width }: PresenceTable,
  out: Int32Array,
  outOffset: number,
): void {
  out.fill(frames, outOffset, outOffset + width);
  for (let row = frames - 1; row >= 0; row--) {
    for (let s = 0, cell = row * width; s < width; s++, cell++) {
      if (present[cell] === 1) out[outOffset + s] = row;
    }
  }
}

/**
 * The share of the expected series that a row lacks: those of which the table has a sample in the row or before it.
 * NaN where none is expected. `firsts` as `firstPresences` writes them at `firsts[offset]`.
 */
export function missingShare(
  { present, width }: PresenceTable,
  row: number,
  firsts: Int32Array,
  offset: number,
): number {
  let expected = 0;
  let missing = 0;
  for (let s = 0, cell = row * width; s < width; s++, cell++) {
    if (firsts[offset + s] > row) continue;
    expected++;
    if (present[cell] !== 1) missing++;
  }
  return missing / expected;
}

/** Whether a frame lacks so much that it is dropped: more than the threshold, a share from 0 to 1. */
export function isIncomplete(share: number, threshold: number): boolean {
  return share > threshold;
}
