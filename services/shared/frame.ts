/**
 * The words of the dataflow as plain data. A frame is everything known about one entity at one event time, and the
 * unit of every message; its samples are parallel columns, so that per-sample work is a loop over typed arrays.
 */

export const metricTypes = ["unknown", "gauge", "counter", "histogram", "summary"] as const;
export type MetricType = (typeof metricTypes)[number];

export const origins = ["live", "backfill", "remote_write"] as const;
export type Origin = (typeof origins)[number];

export type Labels = Readonly<Record<string, string>>;

/** A metric name and its labels. Interned: one object a series in a process, so identity may be compared by `===`. */
export interface Series {
  /** The canonical text `name{a="x",b="y"}`, labels sorted: the identity of the series. */
  readonly key: string;
  readonly metric: string;
  /** Without `__name__`, sorted by name. */
  readonly labels: Labels;
  readonly type: MetricType;
  /** The Avro encoding of the fields metric, labels and type, which every record of the project begins a sample with. */
  readonly encoded: Buffer;
}

/** What features are about: a configured subset of labels. Interned like a series. */
export interface Entity {
  /** The canonical text `{a="x",b="y"}`, labels sorted: the Kafka key of every metrics topic. */
  readonly key: string;
  readonly labels: Labels;
  /** The Avro encoding of the labels as a map. */
  readonly encoded: Buffer;
}

export interface RawFrame {
  entity: Entity;
  /** Event time, milliseconds since the epoch. */
  timestamp: number;
  origin: Origin;
  /** Where the samples came from, for example the Prometheus URL's name in the configuration. */
  source: string;
  /** When the poller read the samples, milliseconds since the epoch: the only "now" that processing knows. */
  ingestedAt: number;
  series: Series[];
  values: Float64Array;
  /** 1 where Prometheus's stale marker stood: the series ended here; the value means nothing. */
  stale: Uint8Array;
  /** Left out where all values came as numbers. */
  given?: GivenValues;
}

/** How the values of a frame were given where some of them were texts or booleans. */
export interface GivenValues {
  /** What they looked like: indices in `valueForms`. */
  readonly forms: Uint8Array;
  /** Why a text has no number, and NaN stands for it: indices in `conversionErrors`, 0 where it has one. */
  readonly errors: Uint8Array;
}

/** Why a value is not simply what was read. Bits of `flags` in metrics.clean and metrics.features. */
export const flagBits = {
  /** The value broke a validation rule. */
  invalid: 1,
  /** The value was filled in, not measured. */
  imputed: 2,
  /** The value was judged an outlier. */
  outlier: 4,
  /** The series ended here (Prometheus's stale marker). */
  stale: 8,
  /** The value is NaN or infinite: kept as read, and out of every window. */
  not_finite: 16,
  /** The value was a text that has no number of its series' kind; NaN stands for it. */
  conversion_error: 32,
  /** Of what the entity should have at this time, more is missing than the configured share. */
  incomplete: 64,
} as const;

export interface CleanFrame extends RawFrame {
  /** The values as they were read; `values` holds them after cleaning. */
  original: Float64Array;
  flags: Int32Array;
}

/** One frame of features: row i is `series[i]`, its features are `features[i * width ... (i + 1) * width - 1]`. */
export interface FeatureFrame {
  entity: Entity;
  timestamp: number;
  /** Input offset of the frame that caused this emission: a later revision replaces an earlier one. */
  revision: number;
  /** When the row could first be known: `ingestedAt` of the frame that caused it, milliseconds since the epoch. */
  knownAt: number;
  /** The rows of this frame must go. */
  retracted: boolean;
  origin: Origin;
  series: Series[];
  values: Float64Array;
  flags: Int32Array;
  /** Row-major, as many columns as there are feature names; NaN where a feature has no value. */
  features: Float64Array;
}
