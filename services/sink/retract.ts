import { toFluxValue } from "@influxdata/influxdb-client";
import { MillraceError } from "../shared/errors.js";
import type { FeatureFrame, Series } from "../shared/frame.js";
import { tagsOf, writableName } from "./line-protocol.js";

/** The part of InfluxDB that deleting needs; each call is tried again while InfluxDB is away. */
export interface RetractFrom {
  readonly query: (steps: string) => Promise<Record<string, unknown>[]>;
  readonly deleteAt: (timestamp: number, predicate: string) => Promise<void>;
}

/** What InfluxDB holds at one time of one series, without its fields. */
interface Point {
  readonly measurement: string;
  readonly tags: ReadonlyMap<string, string>;
}

/** A row that could not be deleted. */
export interface Stayed {
  readonly row: number;
  readonly words: string;
}

/** InfluxDB keeps nanoseconds in 64 bits: years 1677 to 2262. */
const TIME_MAX_MS = 9_223_372_036_854;

/**
 * Deletes the points of a retracted frame, and no others. InfluxDB deletes by tags that are equal, and knows no way to say
 * that a tag is absent: deleting `m{a="x"}` would take `m{a="x",b="y"}` with it. So it is first asked which points there are;
 * where another point would go too, the row stays. Resolves to the rows that stayed.
 */
export async function retract(frame: FeatureFrame, influx: RetractFrom): Promise<Stayed[]> {
  const { series, timestamp } = frame;
  const rows = series.map(pointOf);
  // There can be no such point.
  if (rows.length === 0 || Math.abs(timestamp) > TIME_MAX_MS) return [];
  const retracted = new Set(rows.map(identity));
  const stayed: Stayed[] = [];
  const records = await orRefusal(influx.query(pointsAt(timestamp, rows)));
  if (records instanceof MillraceError) return rows.map((_, row) => ({ row, words: records.message }));
  const others = records.map(recordedPoint).filter((point) => !retracted.has(identity(point)));
  for (const [row, point] of rows.entries()) {
    if (others.some((other) => includes(other, point))) {
      const words =
        "InfluxDB cannot delete this point alone: a series with more labels has one at the same time.";
      stayed.push({ row, words });
      continue;
    }
    const refusal = await orRefusal(influx.deleteAt(timestamp, predicateOf(point)));
    if (refusal instanceof MillraceError) stayed.push({ row, words: refusal.message });
  }
  return stayed;
}

async function orRefusal<Result>(request: Promise<Result>): Promise<Result | MillraceError> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof MillraceError && error.code === "INFLUX_LINE_REFUSED") return error;
    throw error;
  }
}

function pointOf(series: Series): Point {
  return { measurement: writableName(series.metric), tags: new Map(tagsOf(series)) };
}

function identity({ measurement, tags }: Point): string {
  return JSON.stringify([measurement, ...[...tags].sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/** Whether the predicate of `point` holds for `other` too. */
function includes(other: Point, point: Point): boolean {
  return (
    other.measurement === point.measurement &&
    [...point.tags].every(([name, value]) => other.tags.get(name) === value)
  );
}

/** Flux: one record for each point that has the frame's time, one of its measurements, and the tags that all its rows share. */
function pointsAt(timestamp: number, rows: readonly Point[]): string {
  const measurements = [...new Set(rows.map(({ measurement }) => measurement))];
  const shared = [...rows[0].tags].filter(([name, value]) =>
    rows.every(({ tags }) => tags.get(name) === value),
  );
  const filter = [
    `(${measurements.map((measurement) => `r._measurement == ${toFluxValue(measurement)}`).join(" or ")})`,
    ...shared.map(([name, value]) => `r[${toFluxValue(name)}] == ${toFluxValue(value)}`),
  ].join(" and ");
  const [start, stop] = [timestamp, timestamp + 1].map((time) => new Date(time).toISOString());
  return (
    `|> range(start: ${start}, stop: ${stop}) |> filter(fn: (r) => ${filter}) ` +
    `|> group(columns: ["_time", "_start", "_stop", "_field", "_value"], mode: "except") |> limit(n: 1)`
  );
}

const ownColumns = new Set(["_time", "_start", "_stop", "_field", "_value", "_measurement"]);

function recordedPoint(record: Record<string, unknown>): Point {
  const tags = new Map<string, string>();
  for (const [name, value] of Object.entries(record)) {
    // Every answer has the columns `table`, a number, and `result`; a tag of that name comes later and takes its place.
    if (typeof value !== "string" || ownColumns.has(name)) continue;
    if (name === "result" && (value === "_result" || value === "")) continue;
    tags.set(name, value);
  }
  return { measurement: String(record["_measurement"]), tags };
}

/** In double quotes, all of it: a bare name may be a keyword, and single quotes are refused. */
function predicateOf({ measurement, tags }: Point): string {
  return [["_measurement", measurement] as const, ...tags]
    .map(([name, value]) => `${quoted(name)}=${quoted(value)}`)
    .join(" AND ");
}

function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
