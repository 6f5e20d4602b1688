import { errorRate } from "../../services/kernels/error-rate.js";
import { isIqrOutlier } from "../../services/kernels/iqr.js";
import { fitIsolationForest, isolationScore } from "../../services/kernels/isolation-forest.js";
import { randomStream } from "../../services/kernels/random.js";
import { coefficientOfVariation } from "../../services/kernels/statistics/coefficient-of-variation.js";
import { extremesAndCount } from "../../services/kernels/statistics/extremes.js";
import { medianAbsoluteDeviation } from "../../services/kernels/statistics/median-absolute-deviation.js";
import { percentileOfSorted } from "../../services/kernels/percentile.js";
import { rate } from "../../services/kernels/rate.js";
import { sortInto } from "../../services/kernels/sorted-values.js";
import { throughput } from "../../services/kernels/throughput.js";
import type { FeaturePlan } from "../../services/processor/feature-plan.js";
import type { ImputationPlan } from "../../services/processor/imputation-plan.js";
import { type MetricType, type RawFrame, type Series, metricTypes } from "../../services/shared/frame.js";
import { internSeries } from "../../services/shared/series.js";
import { momentsAlone } from "../kernels/moments-alone.js";

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

/** A sample, or a point that was filled in, and what windows see of it. */
interface Entry extends Sample {
  readonly isFilledIn: boolean;
  readonly judged: number;
  readonly cleaned: number;
  readonly flags: number;
}

/** A series before its gaps are filled. */
interface Cleaned {
  readonly series: Series;
  readonly cleaned: readonly Entry[];
}

const isCounter = ({ type }: Sample) => type === "counter";

/** The rows of all samples of these frames, each from scratch: what the processor must say, however the frames came. */
export function naiveRows(
  frames: readonly RawFrame[],
  plan: FeaturePlan,
  strict: boolean,
): ReadonlyMap<string, Row> {
  const rows = new Map<string, Row>();
  const measured = samplesOf(frames);
  const isIncomplete = incompleteTimes(measured, plan);
  const all = [...measured, ...combinedSamples(measured, plan, strict)].map(([name, samples]) => ({
    name,
    series: seriesOf(name, frames),
    ...cleanedSeries(name, samples, plan, strict),
  }));
  for (const one of all) {
    const { name, judgedAs, scoreOf } = one;
    const [entity] = name.split(" ");
    const ofEntity = all
      .filter((other) => other.name.startsWith(`${entity} `))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const entries = filledEntries(one, ofEntity, plan);
    for (const entry of entries) {
      const seen = (other: Entry) => {
        if (isCounter(other) === isCounter(entry)) return other.cleaned;
        if (other.isFilledIn) return NaN;
        return judgedAs(other.timestamp, isCounter(entry));
      };
      const isInIncomplete = !entry.isFilledIn && isIncomplete(name, entry.timestamp);
      if (isInIncomplete && plan.completeness?.drops === true) continue;
      const isMeasured = isCounter(entry) || !Number.isFinite(entry.cleaned);
      rows.set(`${name} ${entry.timestamp}`, {
        type: entry.type,
        value: isMeasured ? entry.value : entry.cleaned,
        flags: entry.flags | (isInIncomplete ? 64 : 0),
        features: featuresAt(name, entries, entry, seen, plan, scoreOf),
      });
    }
  }
  return rows;
}

/** The series of this name; one that is computed has the labels of its entity. */
function seriesOf(name: string, frames: readonly RawFrame[]): Series {
  const [entity, key] = name.split(" ");
  const ofEntity = frames.filter((frame) => frame.entity.key === entity);
  const measured = ofEntity.flatMap(({ series }) => series).find((one) => one.key === key);
  return measured ?? internSeries(key.slice(0, key.indexOf("{")), ofEntity[0].entity.labels, "gauge");
}

/** The samples of a series in order, judged and cleaned. */
function cleanedSeries(
  name: string,
  samples: ReadonlyMap<number, Sample>,
  plan: FeaturePlan,
  strict: boolean,
) {
  const inOrder = [...samples.values()].sort((a, b) => a.timestamp - b.timestamp);
  const believed = believedOf(inOrder, strict);
  const judgedAs = (timestamp: number, asCounter: boolean) => {
    if (asCounter) return rateOf(believed, timestamp, plan);
    return believed.find((sample) => sample.timestamp === timestamp)?.value ?? NaN;
  };
  const judged = inOrder.map((sample) => ({
    ...sample,
    judged: judgedAs(sample.timestamp, isCounter(sample)),
  }));
  const forest = forestOf(name.slice(name.indexOf(" ") + 1), judged, plan);
  const cleaned = judged.map((sample) => cleanedSample(judged, sample, plan, forest));
  return { cleaned, judgedAs, scoreOf: forest.scoreOf };
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

/** Whether the entity of a series lacks too many of its series at a time. */
function incompleteTimes(measured: ReadonlyMap<string, ReadonlyMap<number, Sample>>, plan: FeaturePlan) {
  const { completeness } = plan;
  return (name: string, timestamp: number): boolean => {
    if (completeness === null) return false;
    const ofEntity = [...measured].filter(([other]) => other.split(" ")[0] === name.split(" ")[0]);
    const present = ofEntity.filter(([, samples]) => samples.has(timestamp)).length;
    const missing = ofEntity.filter(([, samples]) => {
      if (samples.has(timestamp)) return false;
      const isBefore = (at: number) => at < timestamp && at > timestamp - completeness.lookbackMs;
      const times = [...samples.keys()]
        .filter(isBefore)
        .sort((a, b) => a - b)
        .slice(-6);
      if (times.length < 6) return false;
      const intervals = times.slice(1).map((at, i) => at - times[i]);
      const interval = intervals.sort((a, b) => a - b)[2];
      const count = Math.round((timestamp - times[5]) / interval);
      return count > 0 && Math.abs(timestamp - times[5] - count * interval) <= interval / 100;
    }).length;
    return missing > completeness.threshold * (missing + present);
  };
}

function believedOf(inOrder: readonly Sample[], strict: boolean): Sample[] {
  return inOrder.filter((sample) => !strict || flagsOf(sample) !== 1);
}

function rateOf(believed: readonly Sample[], timestamp: number, { rateWindowMs }: FeaturePlan): number {
  const window = within(believed, timestamp, rateWindowMs);
  const times = Float64Array.from(window, (sample) => sample.timestamp);
  const values = Float64Array.from(window, ({ value }) => value);
  const none = new Uint8Array(values.length);
  return rate(times, values, none, 0, values.length, timestamp, rateWindowMs);
}

/** The samples of the series that are computed of others, by their names. */
function combinedSamples(
  measured: ReadonlyMap<string, ReadonlyMap<number, Sample>>,
  plan: FeaturePlan,
  strict: boolean,
): Map<string, Map<number, Sample>> {
  const combined = new Map<string, Map<number, Sample>>();
  const entities = new Set([...measured.keys()].map((name) => name.split(" ")[0]));
  for (const entity of entities) {
    const series = [...measured]
      .filter(([name]) => name.startsWith(`${entity} `))
      .map(([name, samples]) => {
        const key = name.slice(entity.length + 1);
        const inOrder = [...samples.values()].sort((a, b) => a.timestamp - b.timestamp);
        const metric = internSeries(key.slice(0, key.indexOf("{")), {}, "unknown");
        return { key, metric, times: [...samples.keys()], believed: believedOf(inOrder, strict) };
      })
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    for (const { metric, sum, share } of plan.combined) {
      const members = series.filter((one) => sum.captures(one.metric) !== null);
      const parts = members.filter((one) => share !== null && share.captures(one.metric) !== null);
      const samples = new Map<number, Sample>();
      for (const timestamp of members.flatMap(({ times }) => times)) {
        const rates = (some: typeof members) =>
          Float64Array.from(some, ({ believed }) => rateOf(believed, timestamp, plan));
        const value = share === null ? throughput(rates(members)) : errorRate(rates(parts), rates(members));
        samples.set(timestamp, { timestamp, value, type: "gauge" });
      }
      if (samples.size > 0) combined.set(`${entity} ${metric}${entity}`, samples);
    }
  }
  return combined;
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

function flagsOf({ value, type }: Sample): number {
  if (!Number.isFinite(value)) return 16;
  return type === "counter" && value < 0 ? 1 : 0;
}

type Judged = Pick<Entry, "timestamp" | "judged">;

/** Scores by the imported forest of a series, or by that which belongs to a sample's time; and what score is an outlier's. */
function forestOf(key: string, samples: readonly Judged[], { outliers }: FeaturePlan) {
  const series = internSeries(key.slice(0, key.indexOf("{")), {}, "unknown");
  const imported = outliers?.importedForest?.(series)?.forest ?? null;
  const scoreOf = ({ timestamp, judged }: Judged): number => {
    if (outliers === null || !Number.isFinite(judged)) return NaN;
    if (imported !== null) return isolationScore(imported, Float64Array.of(judged), 0);
    const epoch = Math.floor(timestamp / outliers.epochMs) * outliers.epochMs;
    const fitted = samples.filter((sample) => {
      const age = epoch - sample.timestamp;
      return age > 0 && age <= outliers.windowsMs[0] && Number.isFinite(sample.judged);
    });
    if (fitted.length < 10) return NaN;
    const table = Float64Array.from(fitted, (sample) => sample.judged);
    const forest = fitIsolationForest(table, table.length, 1, randomStream(0, key, epoch))!;
    return isolationScore(forest, Float64Array.of(judged), 0);
  };
  return { scoreOf, outlierAbove: imported?.outlierAbove ?? 0.5 };
}

/** The sample after it was judged against the window before it. */
function cleanedSample(
  samples: readonly (Sample & { judged: number })[],
  sample: Sample & { judged: number },
  { outliers }: FeaturePlan,
  { scoreOf, outlierAbove }: ReturnType<typeof forestOf>,
): Entry {
  const entry = { ...sample, isFilledIn: false, cleaned: sample.judged, flags: flagsOf(sample) };
  if (outliers === null) return entry;
  const window = within(samples, sample.timestamp, outliers.windowsMs[0]);
  const values = Float64Array.from(window, ({ judged }) => judged);
  const sorted = new Float64Array(values.length);
  const count = sortInto(sorted, 0, values, 0, values.length);
  const fences = new Float64Array(2);
  if (outliers.method === "isolation_forest")
    return scoreOf(sample) > outlierAbove ? { ...entry, flags: entry.flags | 4 } : entry;
  if (!isIqrOutlier(sorted, 0, count, sample.judged, fences, 0)) return entry;
  const [low, high] = fences;
  const clipped = sample.judged < low ? low : high;
  const cleaned = { flag: sample.judged, remove: NaN, clip: clipped }[outliers.action];
  return { ...entry, cleaned, flags: entry.flags | 4 };
}

/** The samples with their gaps filled. */
function filledEntries(own: Cleaned, series: readonly Cleaned[], { imputation }: FeaturePlan): Entry[] {
  const samples = own.cleaned;
  if (imputation === null) return [...samples];
  const ends = good(samples);
  const entries = new Map(samples.map((sample) => [sample.timestamp, sample]));
  ends.slice(1).forEach((far, i) => {
    const near = ends[i];
    if (isCounter(near) !== isCounter(far) || far.timestamp - near.timestamp > imputation.maxGapMs) return;
    const times = timesToFill(samples, near, far, imputation);
    if (times.length === 0) return;
    const before = samples.filter(({ timestamp }) => timestamp <= near.timestamp);
    const interval = intervalAt(before, imputation);
    const ageMs = interval < Infinity ? Math.floor(1.5 * interval) : 0;
    const values = fillOf(own, series, near, far, times, ageMs, imputation);
    times.forEach((timestamp, k) => {
      const cleaned = values[k];
      if (!Number.isFinite(cleaned)) return;
      const sample = entries.get(timestamp);
      const filledIn = { timestamp, type: far.type, value: NaN, judged: NaN, flags: 0, isFilledIn: true };
      const entry = sample ?? filledIn;
      entries.set(timestamp, { ...entry, cleaned, flags: entry.flags | 2 });
    });
  });
  return [...entries.values()].sort((a, b) => a.timestamp - b.timestamp);
}

/** Those of the samples between two, and those where samples are missing. */
function timesToFill(samples: readonly Entry[], near: Entry, far: Entry, imputation: ImputationPlan) {
  return samples.flatMap((sample, i) => {
    if (sample.timestamp <= near.timestamp || sample.timestamp > far.timestamp) return [];
    const before = samples[i - 1].timestamp;
    const distance = sample.timestamp - before;
    const interval = intervalAt(samples.slice(0, i), imputation);
    const missing = distance > 1.5 * interval ? Math.round(distance / interval) - 1 : 0;
    const between = Array.from(
      { length: missing },
      (_, k) => before + Math.round(((k + 1) * distance) / (missing + 1)),
    );
    return sample === far ? between : [...between, sample.timestamp];
  });
}

/** By the configured kernel, from a table of what its series were at the times that it looks at. */
function fillOf(
  own: Cleaned,
  series: readonly Cleaned[],
  near: Entry,
  far: Entry,
  times: readonly number[],
  ageMs: number,
  { reachMs, imputer }: ImputationPlan,
): number[] {
  const before = good(own.cleaned).filter(
    (entry) => entry.timestamp < near.timestamp && isCounter(entry) === isCounter(near),
  );
  const context = before.filter(({ timestamp }) => timestamp > near.timestamp - imputer.lookbackMs);
  const from = context.length + 1;
  const ends = imputer.declaration.needsFarEnd ? [far.timestamp] : [];
  const rows = [...context.map(({ timestamp }) => timestamp), near.timestamp, ...times, ...ends];
  const newestOf = ({ cleaned }: Cleaned) =>
    good(cleaned).findLast(
      ({ timestamp }) => timestamp > near.timestamp - reachMs && timestamp <= rows.at(-1)!,
    );
  const present = imputer.columnsOf === null ? [own] : series.filter((one) => newestOf(one) !== undefined);
  const chosen = imputer.columnsOf?.(
    present.indexOf(own),
    present.map((one) => ({ series: one.series, isCounter: isCounter(newestOf(one)!) })),
  );
  if (chosen === null) return times.map(() => NaN);
  const columns = (chosen ?? [0]).map((at) => present.at(at < 0 ? present.length : at));
  const table = rows.flatMap((row, i) =>
    columns.map((one) => {
      if (one === undefined) return NaN;
      const upTo = (ms: number) => good(one.cleaned).findLast(({ timestamp }) => timestamp <= ms);
      const found = upTo(row);
      const newest = upTo(rows.at(-1)!)!;
      if (found === undefined || found.timestamp < row - ageMs) return NaN;
      if (i > 0 && found.timestamp <= rows[i - 1]) return NaN;
      return isCounter(found) === isCounter(newest) ? found.cleaned : NaN;
    }),
  );
  const gap = { from, to: from + times.length };
  const estimates = imputer.fill(Float64Array.from(rows), Float64Array.from(table), columns.length, gap);
  return times.map((_, k) => estimates[(from + k) * columns.length + columns.indexOf(own)]);
}

const good = (entries: readonly Entry[]) => entries.filter(({ cleaned }) => Number.isFinite(cleaned));

/** The median of the last five distances, of samples that are not too old. */
function intervalAt(samples: readonly Sample[], { intervalMs, intervalLookbackMs }: ImputationPlan): number {
  if (intervalMs !== null) return intervalMs;
  const last = samples.at(-1)!;
  const recent = samples.filter(({ timestamp }) => timestamp > last.timestamp - intervalLookbackMs).slice(-6);
  if (recent.length < 6) return Infinity;
  const distances = recent.slice(1).map(({ timestamp }, i) => timestamp - recent[i].timestamp);
  return distances.sort((a, b) => a - b)[2];
}

function featuresAt(
  name: string,
  entries: readonly Entry[],
  entry: Entry,
  seen: (entry: Entry) => number,
  plan: FeaturePlan,
  scoreOf: (sample: Judged) => number,
): number[] {
  const { rolling } = plan;
  const { timestamp, type, judged, cleaned, flags } = entry;
  const statistics = rolling.windowsMs.flatMap((windowMs) => {
    const inside = within(entries, timestamp, windowMs);
    const values = Float64Array.from(inside, seen);
    const sorted = new Float64Array(values.length);
    const count = sortInto(sorted, 0, values, 0, values.length);
    const { mean, deviation } = momentsAlone(timesOf(inside), values, windowMs);
    const extremes = new Float64Array(3);
    extremesAndCount(values, 0, values.length, extremes, 0);
    return [
      ...(rolling.mean ? [mean] : []),
      ...(rolling.standardDeviation ? [deviation] : []),
      ...rolling.fractions.map((fraction) => percentileOfSorted(sorted, 0, count, fraction)),
      ...(rolling.minimum === true ? [...extremes] : []),
      ...(rolling.medianAbsoluteDeviation === true ? [medianAbsoluteDeviation(sorted, 0, count)] : []),
      ...(rolling.coefficientOfVariation === true
        ? [coefficientOfVariation(values, 0, values.length, mean, deviation)]
        : []),
    ];
  });
  const slopes = (rolling.slopeWindowsMs ?? []).map((windowMs) => {
    const inside = within(entries, timestamp, windowMs);
    return momentsAlone(timesOf(inside), Float64Array.from(inside, seen), windowMs).slope;
  });
  const upTo = entries.filter((entry) => entry.timestamp <= timestamp);
  const times = timesOf(upTo);
  const groups = plan.groups.flatMap(({ columns, write }) => {
    const out = new Float64Array(columns.length);
    write(times, Float64Array.from(upTo, seen), 0, upTo.length, out, 0);
    return [...out];
  });
  const forest = plan.outliers?.method === "isolation_forest" ? [scoreOf({ timestamp, judged })] : [];
  const [entityKey, seriesKey] = name.split(" ");
  const kind = type === "counter" ? "rate" : "value";
  const scaled = plan.scaling === null ? [] : [plan.scaling(entityKey, seriesKey, kind, seen(entry))];
  const rate = type === "counter" ? ((flags & 2) !== 0 ? cleaned : judged) : NaN;
  return [...statistics, ...slopes, ...groups, ...forest, ...scaled, rate];
}

/** Those of (timestamp − windowMs, timestamp]. */
function within<Any extends Sample>(samples: readonly Any[], timestamp: number, windowMs: number): Any[] {
  return samples.filter((sample) => sample.timestamp > timestamp - windowMs && sample.timestamp <= timestamp);
}

function timesOf(samples: readonly Sample[]): Float64Array {
  return Float64Array.from(samples, ({ timestamp }) => timestamp);
}
