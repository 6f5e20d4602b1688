import type { PresenceTable } from "./presence.js";

/** How a sample is missing. Bits of what `classifyMissing` writes; 0 is present, or not expected. */
export const missingBits = {
  /** The frames right before and after have it, as far as the table shows. */
  isolated: 1,
  /** One of two or more in a row. */
  run: 2,
  /** It is missing at the same phase of a period, time and again: see `missingPeriod`. */
  periodic: 4,
  /** The frame has none of the expected series. */
  whole_frame: 8,
} as const;

/** A phase that was missing fewer times than this is no period. */
export const periodicOccurrencesMin = 3;

/** A period is told where fewer than this share of tables with as many missing at random would show one. */
export const chanceMax = 0.05;

/**
 * Writes for each cell of the table how its sample is missing at `out[outOffset + cell]`, and returns how many are.
 * `firsts` is what `firstPresences` wrote at `firsts[firstsOffset]`: before its first sample a series is not missing.
 * Periods of more than `periodMax` rows are not looked for. The result depends on the table only.
 */
export function classifyMissing(
  table: PresenceTable,
  firsts: Int32Array,
  firstsOffset: number,
  periodMax: number,
  out: Uint8Array,
  outOffset: number,
): number {
  const { frames, width } = table;
  out.fill(0, outOffset, outOffset + frames * width);
  let count = 0;
  for (let s = 0; s < width; s++) {
    const first = firsts[firstsOffset + s];
    const missing = markRuns(table, s, first, out, outOffset);
    count += missing;
    if (missing >= periodicOccurrencesMin) markPeriods(table, s, first, missing, periodMax, out, outOffset);
  }
  for (let row = 0; row < frames; row++) markWholeFrame(table, row, firsts, firstsOffset, out, outOffset);
  return count;
}

function markRuns(
  { present, frames, width }: PresenceTable,
  s: number,
  first: number,
  out: Uint8Array,
  outOffset: number,
): number {
  let count = 0;
  for (let row = first; row < frames; row++) {
    if (present[row * width + s] === 1) continue;
    let end = row + 1;
    while (end < frames && present[end * width + s] !== 1) end++;
    const bit = end - row > 1 ? missingBits.run : missingBits.isolated;
    count += end - row;
    for (; row < end; row++) out[outOffset + row * width + s] = bit;
  }
  return count;
}

function markWholeFrame(
  { present, width }: PresenceTable,
  row: number,
  firsts: Int32Array,
  firstsOffset: number,
  out: Uint8Array,
  outOffset: number,
): void {
  let isExpected = false;
  for (let s = 0; s < width; s++) {
    if (present[row * width + s] === 1) return;
    if (firsts[firstsOffset + s] <= row) isExpected = true;
  }
  if (!isExpected) return;
  for (let s = 0; s < width; s++) {
    if (firsts[firstsOffset + s] <= row) out[outOffset + row * width + s] |= missingBits.whole_frame;
  }
}

function markPeriods(
  table: PresenceTable,
  s: number,
  first: number,
  missing: number,
  periodMax: number,
  out: Uint8Array,
  outOffset: number,
): void {
  const { frames, width } = table;
  const longest = longestPeriod(frames - first, periodMax);
  for (let period = 2; period <= longest; period++) {
    for (let start = first; start < first + period; start++) {
      if (!isPeriodic(table, s, first, missing, start, period, longest)) continue;
      for (let row = start; row < frames; row += period) {
        out[outOffset + row * width + s] |= missingBits.periodic;
      }
    }
  }
}

/**
 * The shortest period, in rows, at which samples of series `s` are missing; 0 for none. A series has the period p where
 * at some phase (every p-th row from its first sample to the table's end) it is missing all n times, n at least
 * `periodicOccurrencesMin`, and where chance does not explain it: were its missing samples spread at random at their
 * share q, the expected number of such phases over all periods looked at, at most H qⁿ for H phases, is below
 * `chanceMax`.
 */
export function missingPeriod(table: PresenceTable, s: number, first: number, periodMax: number): number {
  const { present, frames, width } = table;
  let missing = 0;
  for (let row = first; row < frames; row++) if (present[row * width + s] !== 1) missing++;
  if (missing < periodicOccurrencesMin) return 0;
  const longest = longestPeriod(frames - first, periodMax);
  for (let period = 2; period <= longest; period++) {
    for (let start = first; start < first + period; start++) {
      if (isPeriodic(table, s, first, missing, start, period, longest)) return period;
    }
  }
  return 0;
}

function longestPeriod(rows: number, periodMax: number): number {
  return Math.min(periodMax, Math.floor(rows / periodicOccurrencesMin));
}

function isPeriodic(
  { present, frames, width }: PresenceTable,
  s: number,
  first: number,
  missing: number,
  start: number,
  period: number,
  longest: number,
): boolean {
  const phases = (longest * (longest + 1)) / 2 - 1;
  const share = missing / (frames - first);
  let chance = phases;
  let occurrences = 0;
  for (let row = start; row < frames; row += period) {
    if (present[row * width + s] === 1) return false;
    chance *= share;
    occurrences++;
  }
  return occurrences >= periodicOccurrencesMin && chance < chanceMax;
}
