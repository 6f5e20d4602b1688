import { z } from "zod";
import type { Conversion } from "../kernels/convert/conversion.js";
import { type ValueType, convertText } from "../kernels/convert/convert-text.js";
import { formOf, valueForms } from "../kernels/convert/type-change.js";
import { MillraceError } from "./errors.js";
import {
  type FeatureFrame,
  type GivenValues,
  type RawFrame,
  type Series,
  metricTypes,
  origins,
} from "./frame.js";
import { internEntity, internSeries } from "./series.js";

/**
 * Frames as JSON lines, with the fields of their Avro records: what `millrace tail` prints and `millrace process` reads
 * and writes. JSON has no NaN and no infinity: null stands for the first, a text for the others. What `process` reads may
 * have texts and booleans for values, too.
 */

/** For JSON.stringify: a feature without a value, which is NaN, becomes null by itself. */
export function jsonValue(_: string, value: unknown): unknown {
  if (value === Infinity) return "Infinity";
  if (value === -Infinity) return "-Infinity";
  return value;
}

const labels = z.record(z.string(), z.string());

const value = z.union([z.number(), z.null(), z.boolean(), z.string()]);
type Given = z.infer<typeof value>;

const rawFrame = z.strictObject({
  entity: labels,
  timestamp: z.int(),
  origin: z.enum(origins).default("live"),
  source: z.string().default(""),
  ingestedAt: z.int().optional(),
  samples: z.array(
    z.strictObject({
      metric: z.string().min(1),
      labels: labels.default({}),
      type: z.enum(metricTypes).default("unknown"),
      value,
      stale: z.boolean().default(false),
    }),
  ),
});

/**
 * A line as a frame: entity, timestamp (milliseconds since the epoch), samples of metric and value, and what else
 * metrics.raw has, where it is given. Without `ingestedAt` a frame was read at its own time. A value that is a text is
 * read as `typeOf` says of its series; where it has no number, NaN and why. Throws INPUT_INVALID.
 */
export function rawFrameOf(line: string, typeOf: (series: Series) => ValueType): RawFrame {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (error) {
    throw new MillraceError("INPUT_INVALID", `this is no JSON (${(error as Error).message}).`, {
      cause: error,
    });
  }
  const parsed = rawFrame.safeParse(json);
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues;
    const place = path.length === 0 ? "" : `${path.map(String).join(".")}: `;
    throw new MillraceError("INPUT_INVALID", `${place}${message}.`);
  }
  const { entity, timestamp, origin, source, ingestedAt = timestamp, samples } = parsed.data;
  const series = samples.map((sample) => internSeries(sample.metric, sample.labels, sample.type));
  const read = samples.map((sample, i) => numberOf(sample, series[i], typeOf));
  return {
    entity: internEntity(entity),
    timestamp,
    origin,
    source,
    ingestedAt,
    series,
    values: Float64Array.from(read, (conversion) => conversion.value),
    stale: Uint8Array.from(samples, ({ stale }) => (stale ? 1 : 0)),
    ...(samples.some(isText) ? { given: givenValues(samples, read) } : {}),
  };
}

interface GivenSample {
  readonly value: Given;
  readonly stale: boolean;
}

function isText({ value }: GivenSample): boolean {
  return typeof value === "string" || typeof value === "boolean";
}

function numberOf(
  { value, stale }: GivenSample,
  series: Series,
  typeOf: (series: Series) => ValueType,
): Conversion {
  if (typeof value !== "string") return { value: value === null ? NaN : Number(value), error: 0 };
  // The value of a stale marker means nothing.
  if (stale) return { value: NaN, error: 0 };
  // What `jsonValue` wrote is a number, whatever the texts of the series are.
  return convertText(value, value === "Infinity" || value === "-Infinity" ? "number" : typeOf(series));
}

function givenValues(samples: readonly GivenSample[], read: readonly Conversion[]): GivenValues {
  return {
    forms: Uint8Array.from(samples, ({ value }) => valueForms.indexOf(formOf(value))),
    errors: Uint8Array.from(read, ({ error }) => error),
  };
}

/** A frame of features as a line, without its line break. */
export function featureFrameLine(frame: FeatureFrame, columns: readonly string[]): string {
  const { entity, timestamp, revision, knownAt, retracted, origin, series, values, flags, features } = frame;
  const rows = series.map(({ metric, labels, type }, i) => {
    const row: Record<string, unknown> = { metric, labels, type, value: values[i], flags: flags[i] };
    columns.forEach((column, k) => (row[column] = features[i * columns.length + k]));
    return row;
  });
  return JSON.stringify(
    { entity: entity.labels, timestamp, revision, knownAt, retracted, origin, rows },
    jsonValue,
  );
}
