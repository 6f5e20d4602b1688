/** What may be wrong with the time of a sample. Bits of what `temporalFaults` returns. */
export const temporalFaultBits = {
  /** Not later than the sample before. */
  not_increasing: 1,
  /** Later than when it was read, by more than the limit. */
  in_future: 2,
  /** The samples between this one and the one before are missing: says nothing against the value itself. */
  after_gap: 4,
} as const;

/** Milliseconds; Infinity for no limit. */
export interface TemporalLimits {
  /** How far a timestamp may lie after `ingestedAtMs`: clocks differ. */
  readonly futureMsMax: number;
  /** The longest time between two samples that is no gap. */
  readonly gapMsMax: number;
  /** What lies this far back or farther does not exist, and is no sample before. */
  readonly lookbackMs: number;
}

/**
 * The faults of a sample's time, as bits. `previousMs` is the timestamp of its series' sample that came before it, in
 * the order to be judged; NaN where there is none. `ingestedAtMs` is when the sample was read: the only "now"; NaN
 * where that is not known. A timestamp that is not finite has no fault: it is no time.
 */
export function temporalFaults(
  timestampMs: number,
  previousMs: number,
  ingestedAtMs: number,
  { futureMsMax, gapMsMax, lookbackMs }: TemporalLimits,
): number {
  if (timestampMs - timestampMs !== 0) return 0;
  const sinceMs = timestampMs - previousMs;
  let faults = timestampMs - ingestedAtMs > futureMsMax ? temporalFaultBits.in_future : 0;
  if (sinceMs <= 0) faults |= temporalFaultBits.not_increasing;
  if (sinceMs > gapMsMax && sinceMs < lookbackMs) faults |= temporalFaultBits.after_gap;
  return faults;
}

/**
 * The same for the samples at `first ... end - 1` of a series in the order in which they came: writes the faults of
 * `timestamps[i]` at `out[outOffset + i - first]`. The sample before is the newest of those that came earlier and not
 * from the future, so that one that is wrong does not make those after it wrong. The first has none.
 */
export function markTemporalFaults(
  timestamps: Float64Array,
  ingestedAt: Float64Array,
  first: number,
  end: number,
  limits: TemporalLimits,
  out: Uint8Array,
  outOffset: number,
): void {
  let newest = NaN;
  for (let i = first; i < end; i++) {
    const timestamp = timestamps[i];
    const faults = temporalFaults(timestamp, newest, ingestedAt[i], limits);
    out[outOffset + i - first] = faults;
    const isBefore = timestamp - timestamp === 0 && (faults & temporalFaultBits.in_future) === 0;
    if (isBefore && !(timestamp <= newest)) newest = timestamp;
  }
}
