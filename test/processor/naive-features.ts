import { mean, standardDeviation } from "../../services/kernels/mean-and-deviation.js";
import { percentileOfSorted } from "../../services/kernels/percentile.js";
import { rate } from "../../services/kernels/rate.js";
import { sortInto } from "../../services/kernels/sorted-values.js";
import type { FeaturePlan } from "../../services/processor/feature-plan.js";
import { type MetricType, type RawFrame, metricTypes } from "../../services/shared/frame.js";

/** One row of features: what is known of a series at a time. */
export interface Row {
  readonly type: MetricType;
  readonly value: number;
  readonly flags: number;
  readonly features: readonly number[];
}

/** A row as it was emitted. */
export interface EmittedRow extends Row {
  readonly revision: number;
}

/** Names a row: `<entity> <series> <timestamp>`. */
export const rowKey = (entity: string, series: string, timestamp: number) =>
  `${entity} ${series} ${timestamp}`;

interface Sample {
  readonly timestamp: number;
  readonly value: number;
  readonly type: MetricType;
}

/** The rows of all samples of these frames, each from scratch: what the processor must say, however the frames came. */
export function naiveRows(
  frames: readonly RawFrame[],
  plan: FeaturePlan,
  strict: boolean,
): ReadonlyMap<string, Row> {
  const rows = new Map<string, Row>();
  for (const [name, samples] of samplesOf(frames)) {
    const inOrder = [...samples.values()].sort((a, b) => a.timestamp - b.timestamp);
    for (const { timestamp, value, type } of inOrder) {
      rows.set(`${name} ${timestamp}`, {
        type,
        value,
        flags: flagsOf(value, type),
        features: featuresAt(inOrder, timestamp, type === "counter", plan, strict),
      });
    }
  }
  return rows;
}

/** By entity and series the one sample of each time. */
function samplesOf(frames: readonly RawFrame[]): Map<string, Map<number, Sample>> {
  const all = new Map<string, Map<number, Sample>>();
  for (const { entity, timestamp, series, values, stale } of frames) {
    series.forEach(({ key, type }, i) => {
      if (stale[i] === 1) return;
      const name = `${entity.key} ${key}`;
      const samples = all.get(name) ?? new Map<number, Sample>();
      all.set(name, samples);
      const known = samples.get(timestamp);
      const sample = { timestamp, value: values[i], type };
      if (known === undefined || rank(sample) > rank(known)) samples.set(timestamp, sample);
    });
  }
  return all;
}

/** Text whose order is that of the samples: NaN, then the numbers (−0 before 0), then the types. */
function rank({ value, type }: Sample): string {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const word = bits.getBigUint64(0);
  const ascending = word >> 63n === 1n ? ~word & 0xffff_ffff_ffff_ffffn : word | (1n << 63n);
  const number = Number.isNaN(value) ? "0" : `1${ascending.toString(16).padStart(16, "0")}`;
  return `${number} ${metricTypes.indexOf(type)}`;
}

function flagsOf(value: number, type: MetricType): number {
  if (!Number.isFinite(value)) return 16;
  return type === "counter" && value < 0 ? 1 : 0;
}

function featuresAt(
  samples: readonly Sample[],
  timestamp: number,
  isCounter: boolean,
  plan: FeaturePlan,
  strict: boolean,
): number[] {
  const believed = samples.filter(({ value, type }) => !strict || flagsOf(value, type) !== 1);
  const judgedAt = (time: number) => {
    if (!isCounter) return believed.find((sample) => sample.timestamp === time)?.value ?? NaN;
    const window = within(believed, time, plan.rateWindowMs);
    const times = Float64Array.from(window, (sample) => sample.timestamp);
    const values = Float64Array.from(window, ({ value }) => value);
    const none = new Uint8Array(values.length);
    return rate(times, values, none, 0, values.length, time, plan.rateWindowMs);
  };
  const { windowsMs, fractions, mean: wantsMean, standardDeviation: wantsDeviation } = plan.rolling;
  const features = windowsMs.flatMap((windowMs) => {
    const judged = Float64Array.from(within(samples, timestamp, windowMs), (sample) =>
      judgedAt(sample.timestamp),
    );
    const sorted = new Float64Array(judged.length);
    const count = sortInto(sorted, 0, judged, 0, judged.length);
    return [
      ...(wantsMean ? [mean(judged, 0, judged.length)] : []),
      ...(wantsDeviation ? [standardDeviation(judged, 0, judged.length)] : []),
      ...fractions.map((fraction) => percentileOfSorted(sorted, 0, count, fraction)),
    ];
  });
  return [...features, isCounter ? judgedAt(timestamp) : NaN];
}

/** The samples of (timestamp − windowMs, timestamp]. */
function within(samples: readonly Sample[], timestamp: number, windowMs: number): Sample[] {
  return samples.filter((sample) => sample.timestamp > timestamp - windowMs && sample.timestamp <= timestamp);
}
