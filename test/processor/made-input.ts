import fc from "fast-check";
import { type FeaturePlan, featurePlan } from "../../services/processor/feature-plan.js";
import type { Entity, MetricType, RawFrame, Series } from "../../services/shared/frame.js";
import { internEntity, internSeries } from "../../services/shared/series.js";
import { parseConfig } from "../../services/shared/config.js";
import { rollingStatistics } from "../../services/shared/rolling-statistics.js";
import { statisticalFeatureNames } from "../../services/shared/statistical-columns.js";

export const START_MS = 1_760_000_000_000;
export const TICK_MS = 1_000;

/** Windows of few seconds, so that few samples fill and leave them: lookback 40 s, lateness 20 s. */
export const planText = {
  transform: {
    cleaning: { outlier_detection: "none", missing_value_threshold: 1 },
    imputation: { method: "none" },
    feature_engineering: {
      rolling_windows: ["10s", "30s"],
      percentiles: [25, 50, 99.9],
      rate_window: "10s",
      slope_windows: [],
      momentum: [],
      combined_rates: {},
    },
    lateness: "20s",
  },
};
export const plan: FeaturePlan = featurePlan(parseConfig(JSON.stringify(planText), "test.yaml"));

function planWith(transform: {
  cleaning?: object;
  imputation?: object;
  feature_engineering?: object;
  scaling?: object;
}) {
  const cleaning = { ...planText.transform.cleaning, ...transform.cleaning };
  const text = JSON.stringify({ transform: { ...planText.transform, ...transform, cleaning } });
  return { ...featurePlan(parseConfig(text, "test.yaml")) };
}

const outlier_window = "15s";
const gaps = { method: "linear_interpolation", max_gap_minutes: 0.25 };

/** Nothing cleaned, or only flagged: windows see what was measured. */
export const measuredPlans: Readonly<Record<string, FeaturePlan>> = {
  plain: plan,
  "flagging, with all features": planWith({
    cleaning: { outlier_detection: "iqr", outlier_action: "flag", outlier_window },
    feature_engineering: {
      rolling_windows: ["12s", "90s"],
      aggregation_functions: [...rollingStatistics],
      percentiles: [50],
      rate_window: "10s",
      slope_windows: ["20s", "75s"],
      momentum: ["5s", "15s"],
      momentum_tolerance: "2s",
      change_points: { window: "20s" },
      page_hinkley: { epoch: "12s", fewest_samples: 3, threshold: 1 },
      seasonal: { period: 3, interval: "1s", periods: 4 },
      zscore_window: "15s",
      statistics: {
        window: "15s",
        features: [...statisticalFeatureNames],
        lags: [1, 3],
        supports: [1],
        sigmas: [0.5],
      },
      frequency: { window: "15s", interval: "3s" },
      combined_rates: {},
    },
    scaling: { fits_file: "test/shared/fixtures/fitted/fits.json" },
  }),
  "flagging incomplete frames": planWith({ cleaning: { missing_value_threshold: 0.4 } }),
  "dropping incomplete frames": planWith({
    cleaning: { missing_value_threshold: 0.4, incomplete_rows: "drop" },
  }),
  "flagging by forests, one of them imported": planWith({
    cleaning: {
      outlier_detection: "isolation_forest",
      outlier_window,
      isolation_forests: { first: { match: "metric_0", file: "test/shared/fixtures/fitted/forest.json" } },
    },
  }),
};

/** A model of two columns, which looks at all rows; onnx-model.oracle.py says what it computes. */
export const twoColumns = "test/processor/fixtures/two-columns.onnx";

/** Gaps filled by each method, with and without outliers removed or clipped. */
export const fillingPlans: Readonly<Record<string, FeaturePlan>> = {
  combining: planWith({
    cleaning: { outlier_detection: "iqr", outlier_action: "remove", outlier_window },
    imputation: { ...gaps, interval: "auto" },
    feature_engineering: {
      ...planText.transform.feature_engineering,
      combined_rates: {
        all_rates: { sum: '{__name__=~"metric_.+"}' },
        share_of_rates: { sum: '{__name__=~"metric_[12]"}', share: "metric_1" },
      },
    },
  }),
  "filling, combining, and flagging incomplete frames": planWith({
    cleaning: { missing_value_threshold: 0.6 },
    imputation: { ...gaps, interval: "1s" },
    feature_engineering: {
      ...planText.transform.feature_engineering,
      combined_rates: { all_rates: { sum: '{__name__=~"metric_.+"}' } },
    },
  }),
  filling: planWith({ imputation: { ...gaps, interval: "1s" } }),
  "filling forward": planWith({
    imputation: { ...gaps, method: "forward_fill", interval: "1s", limit_samples: 4, limit_age: "6s" },
  }),
  "removing, and filling by the mean": planWith({
    cleaning: { outlier_detection: "iqr", outlier_action: "remove", outlier_window },
    imputation: { ...gaps, method: "mean", interval: "1s", window: "12s" },
  }),
  "removing, and filling by regression": planWith({
    cleaning: { outlier_detection: "iqr", outlier_action: "remove", outlier_window },
    imputation: { ...gaps, method: "regression", interval: "1s", window: "12s" },
  }),
  "filling by k-means": planWith({
    imputation: { ...gaps, method: "kmeans", interval: "auto", window: "12s", clusters: 2, series_max: 2 },
  }),
  "filling by the median of the metric and the minute": planWith({
    imputation: {
      ...gaps,
      method: "median",
      interval: "1s",
      window: "12s",
      group_by: ["job"],
      group_time: "minute",
    },
  }),
  "filling by a model": planWith({
    imputation: {
      ...gaps,
      method: "onnx",
      interval: "1s",
      window: "12s",
      model_path: twoColumns,
      model_columns: ["metric_0", '{__name__=~"metric_[01]"}'],
    },
  }),
  "filling by the season": planWith({
    imputation: { ...gaps, method: "seasonal", interval: "auto", window: "20s", season_samples: 4 },
  }),
  "removing and filling": planWith({
    cleaning: { outlier_detection: "iqr", outlier_action: "remove", outlier_window },
    imputation: { ...gaps, interval: "auto" },
  }),
  "clipping and filling": planWith({
    cleaning: { outlier_detection: "iqr", outlier_action: "clip", outlier_window },
    imputation: { ...gaps, interval: "auto" },
  }),
};
export const LATENESS_TICKS = plan.latenessMs / TICK_MS;

/** What is made up of a frame, before it is one. */
export interface FrameSeed {
  readonly entity: number;
  /** Event time, in ticks. */
  readonly tick: number;
  /** How many ticks after its event time it comes. */
  readonly delay: number;
  readonly samples: readonly SampleSeed[];
}

export interface SampleSeed {
  readonly series: number;
  readonly type: MetricType;
  readonly value: number;
  readonly stale: boolean;
}

export function entityOf(index: number) {
  return internEntity({ job: "api", instance: `10.0.0.${index}:9100` });
}

export function frameOf({ entity, tick, samples }: Omit<FrameSeed, "delay">): RawFrame {
  const { labels } = entityOf(entity);
  const timestamp = START_MS + tick * TICK_MS;
  return {
    entity: entityOf(entity),
    timestamp,
    origin: "live",
    source: "test",
    ingestedAt: timestamp + 1,
    series: samples.map(({ series, type }) => seriesOf(series, labels, type)),
    values: Float64Array.from(samples, ({ value }) => value),
    stale: Uint8Array.from(samples, ({ stale }) => Number(stale)),
  };
}

/** The last one shares its metric with the first. */
function seriesOf(index: number, labels: Entity["labels"], type: MetricType): Series {
  return index === 3
    ? internSeries("metric_0", { ...labels, mode: "idle" }, type)
    : internSeries(`metric_${index}`, labels, type);
}

/** The frames in the order in which they come. */
export function arrivals(seeds: readonly FrameSeed[]): RawFrame[] {
  return [...seeds].sort((a, b) => a.tick + a.delay - (b.tick + b.delay)).map(frameOf);
}

const value = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 1_000 }) },
  { weight: 3, arbitrary: fc.double({ min: -100, max: 100, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -0, 1e300, 5e-324, NaN, Infinity, -Infinity) },
);

/** A gauge, a counter, one whose source knew its type not always, and another gauge. */
const typesOfSeries: readonly (readonly MetricType[])[] = [
  ["gauge"],
  ["counter"],
  ["unknown", "counter", "counter", "histogram"],
  ["gauge"],
];

const sample = fc.integer({ min: 0, max: typesOfSeries.length - 1 }).chain((series) =>
  fc.record({
    series: fc.constant(series),
    type: fc.constantFrom(...typesOfSeries[series]),
    value,
    stale: fc.integer({ min: 0, max: 9 }).map((drawn) => drawn === 0),
  }),
);

export const ENTITIES = 3;
const TICKS = 120;
const tick = fc.integer({ min: 0, max: TICKS });

function seedsWith(delay: fc.Arbitrary<number>, lagOf: (entity: number) => number) {
  const seed = fc
    .record({
      entity: fc.integer({ min: 0, max: ENTITIES - 1 }),
      tick: fc.oneof({ weight: 5, arbitrary: tick }, { weight: 1, arbitrary: tick.map((at) => at + 0.25) }),
      delay,
      // A series may stand twice in a frame, and a frame may say nothing.
      samples: fc.array(sample, { maxLength: 4 }),
    })
    .map((made) => ({ ...made, delay: made.delay + lagOf(made.entity) }));
  return fc.array(seed, { minLength: 1, maxLength: 150, size: "max" });
}

/** Frames of which none comes later than the lateness allows. */
export const timelyInput = seedsWith(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: LATENESS_TICKS }) },
  ),
  () => 0,
);

/** Frames that come as late as they like; and those of one entity all come long after those of the others. */
export const anyInput = seedsWith(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: fc.integer({ min: 1, max: LATENESS_TICKS }) },
    { weight: 1, arbitrary: fc.integer({ min: LATENESS_TICKS, max: TICKS }) },
  ),
  (entity) => (entity === 2 ? 45 : 0),
);

/** Lengths of batches, used again and again. */
export const batchLengths = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 6 });
