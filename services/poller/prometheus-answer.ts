import { MillraceError } from "../shared/errors.js";
import type { Labels } from "../shared/frame.js";
import type { Window } from "./window.js";

/** The raw samples of one series: columns of equal length, timestamps strictly ascending, ms since the epoch. */
export interface SeriesSamples {
  /** With `__name__`. */
  readonly labels: Labels;
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
}

/**
 * The `data` of a successful answer of the HTTP API.
 * Throws PROM_BAD_RESPONSE where the text is no such answer, PROM_INCOMPLETE where Prometheus warns: something could not
 * be read. Its `infos` are remarks on the query only.
 */
export function parseAnswer(text: string): unknown {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (error) {
    throw new MillraceError("PROM_BAD_RESPONSE", `Prometheus answered no JSON: ${excerpt(text)}`, {
      cause: error,
    });
  }
  if (!isRecord(answer) || answer["status"] !== "success" || !("data" in answer))
    throw new MillraceError("PROM_BAD_RESPONSE", `No answer of the Prometheus API: ${excerpt(text)}`);
  const warnings = answer["warnings"];
  if (Array.isArray(warnings) && warnings.length > 0)
    throw new MillraceError("PROM_INCOMPLETE", `Prometheus warned: ${excerpt(warnings.join("; "))}.`);
  return answer["data"];
}

/** When a series has native histograms: ms since the epoch. */
export interface HistogramTimes {
  /** With `__name__`. */
  readonly labels: Labels;
  readonly timestamps: readonly number[];
}

export interface Matrix {
  readonly series: SeriesSamples[];
  /** Native histograms, which have no place in a frame. */
  readonly histograms: HistogramTimes[];
}

/**
 * The series of a range selector's answer, with the samples of `window`: Prometheus before 3.0 counts the left edge in.
 * Throws PROM_BAD_RESPONSE.
 */
export function parseMatrix(data: unknown, window: Window): Matrix {
  if (!isRecord(data) || data["resultType"] !== "matrix" || !Array.isArray(data["result"]))
    throw malformed("a matrix was expected", data);
  const series: SeriesSamples[] = [];
  const histograms: HistogramTimes[] = [];
  for (const row of data["result"] as unknown[]) {
    if (!isRecord(row) || !isLabels(row["metric"])) throw malformed("a series without labels", row);
    if (Array.isArray(row["histograms"])) {
      const timestamps = parseTimes(row["histograms"], window);
      if (timestamps.length > 0) histograms.push({ labels: row["metric"], timestamps });
    }
    const pairs = row["values"] ?? [];
    if (!Array.isArray(pairs)) throw malformed("a series without values", row);
    const samples = parseSamples(pairs, window);
    if (samples.timestamps.length > 0) series.push({ labels: row["metric"], ...samples });
  }
  return { series, histograms };
}

function parseTimes(pairs: readonly unknown[], { from, to }: Window): number[] {
  return pairs
    .map((pair) => {
      if (!Array.isArray(pair) || typeof pair[0] !== "number")
        throw malformed("a histogram is [seconds, {…}]", pair);
      return Math.round(pair[0] * 1_000);
    })
    .filter((timestamp) => timestamp > from && timestamp <= to);
}

function parseSamples(pairs: readonly unknown[], { from, to }: Window): Omit<SeriesSamples, "labels"> {
  const timestamps = new Float64Array(pairs.length);
  const values = new Float64Array(pairs.length);
  let count = 0;
  let previous = -Infinity;
  for (const pair of pairs) {
    if (!Array.isArray(pair) || typeof pair[0] !== "number" || typeof pair[1] !== "string")
      throw malformed("a sample is [seconds, text]", pair);
    const timestamp = Math.round(pair[0] * 1_000);
    if (!(timestamp > previous)) throw malformed("samples out of order", pair);
    previous = timestamp;
    if (timestamp <= from || timestamp > to) continue;
    timestamps[count] = timestamp;
    values[count] = parseValue(pair[1]);
    count++;
  }
  return { timestamps: timestamps.subarray(0, count), values: values.subarray(0, count) };
}

/** A sample's value as Prometheus prints it: the shortest text that reads back to the same double. */
export function parseValue(text: string): number {
  if (text === "NaN") return NaN;
  if (text === "+Inf" || text === "Inf") return Infinity;
  if (text === "-Inf") return -Infinity;
  const value = text === "" ? NaN : Number(text);
  if (Number.isNaN(value)) throw malformed("not a number", text);
  return value;
}

/** One series of an instant vector's answer. */
export interface InstantValue {
  readonly labels: Labels;
  readonly value: number;
}

/** The floats of an instant vector's answer; native histograms are left out. Throws PROM_BAD_RESPONSE. */
export function parseVector(data: unknown): InstantValue[] {
  if (!isRecord(data) || data["resultType"] !== "vector" || !Array.isArray(data["result"]))
    throw malformed("a vector was expected", data);
  return (data["result"] as unknown[]).flatMap((row) => {
    if (!isRecord(row) || !isLabels(row["metric"])) throw malformed("a series without labels", row);
    const pair = row["value"];
    if (pair === undefined && row["histogram"] !== undefined) return [];
    if (!Array.isArray(pair) || typeof pair[1] !== "string")
      throw malformed("a sample is [seconds, text]", row);
    return [{ labels: row["metric"], value: parseValue(pair[1]) }];
  });
}

/** The values of a label. Throws PROM_BAD_RESPONSE. */
export function parseLabelValues(data: unknown): string[] {
  if (!Array.isArray(data) || !data.every((value) => typeof value === "string"))
    throw malformed("a list of texts was expected", data);
  return data;
}

/** The label sets of an answer of `/api/v1/series`. Throws PROM_BAD_RESPONSE. */
export function parseLabelSets(data: unknown): Labels[] {
  if (!Array.isArray(data) || !data.every(isLabels))
    throw malformed("a list of label sets was expected", data);
  return data;
}

/** What the targets say of a metric family. */
export interface MetricFamily {
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}

/** The metric families by name; where targets disagree, what the first says. Throws PROM_BAD_RESPONSE. */
export function parseFamilies(data: unknown): Map<string, MetricFamily> {
  const types = parseMetadata(data);
  const text = (metric: string, field: string) => {
    const [first] = (data as Record<string, Record<string, unknown>[]>)[metric];
    return typeof first[field] === "string" ? first[field] : "";
  };
  return new Map(
    [...types].map(([metric, type]) => [
      metric,
      { type, help: text(metric, "help"), unit: text(metric, "unit") },
    ]),
  );
}

/** The type word of each metric family; where targets disagree, the first. Throws PROM_BAD_RESPONSE. */
export function parseMetadata(data: unknown): Map<string, string> {
  if (!isRecord(data)) throw malformed("metadata by metric was expected", data);
  const families = new Map<string, string>();
  for (const [metric, entries] of Object.entries(data)) {
    const first: unknown = Array.isArray(entries) ? entries[0] : undefined;
    if (!isRecord(first) || typeof first["type"] !== "string")
      throw malformed("metadata without a type", entries);
    families.set(metric, first["type"]);
  }
  return families;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isLabels(value: unknown): value is Labels {
  if (!isRecord(value)) return false;
  for (const name in value) if (typeof value[name] !== "string") return false;
  return true;
}

function malformed(what: string, value: unknown): MillraceError {
  const text = excerpt(JSON.stringify(value));
  return new MillraceError("PROM_BAD_RESPONSE", `Prometheus's answer is malformed, ${what}: ${text}`);
}

/** As much of a foreign text as fits a log line. */
export function excerpt(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}
