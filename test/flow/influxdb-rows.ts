import { InfluxDB } from "@influxdata/influxdb-client";
import { readSecret } from "../../services/shared/config.js";
import type { Config } from "../../services/shared/config-schema.js";
import { type Range, type Samples, addSample, seriesKey } from "./samples.js";

/** What a Flux query returns of the test's bucket in a range; `steps` follow the range. */
async function query(config: Config, { from, to }: Range, steps: string): Promise<Record<string, unknown>[]> {
  const { url, org, bucket, token_file } = config.load.influxdb;
  // A connection of its own: one that is kept may be closed just when it is used again.
  const transportOptions = { agent: false };
  const influx = new InfluxDB({ url, token: readSecret(token_file), timeout: 60_000, transportOptions });
  const queries = influx.getQueryApi(org);
  const time = (ms: number) => new Date(ms + 1).toISOString();
  return queries.collectRows(
    `from(bucket: "${bucket}") |> range(start: ${time(from)}, stop: ${time(to)}) ${steps}`,
  );
}

/** The values, or another field, of all rows. */
export async function writtenSamples(config: Config, range: Range, field = "value"): Promise<Samples> {
  const samples: Samples = new Map();
  for (const record of await query(config, range, `|> filter(fn: (r) => r._field == "${field}")`)) {
    addSample(samples, keyOf(record), timeOf(record), record["_value"] as number);
  }
  return samples;
}

export interface Row {
  readonly series: string;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly fields: Readonly<Record<string, number | null>>;
}

/** The rows of some metrics, each with its fields. */
export async function writtenRows(config: Config, range: Range, metrics: readonly string[]): Promise<Row[]> {
  const named = metrics.map((metric) => `r._measurement == "${metric}"`).join(" or ");
  const records = await query(
    config,
    range,
    `|> filter(fn: (r) => ${named}) |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")`,
  );
  return records.map((record) => ({
    series: keyOf(record),
    timestamp: timeOf(record),
    fields: Object.fromEntries(
      Object.entries(record).filter((entry): entry is [string, number | null] => isField(...entry)),
    ),
  }));
}

function isField(name: string, value: unknown): boolean {
  return name !== "table" && (typeof value === "number" || value === null);
}

const columns = new Set(["result", "table", "_start", "_stop", "_time", "_value", "_field", "_measurement"]);

/** Whatever is text and no column of Flux's own is a tag. */
function keyOf(record: Record<string, unknown>): string {
  const labels = Object.entries(record).filter(
    (entry): entry is [string, string] => !columns.has(entry[0]) && typeof entry[1] === "string",
  );
  return seriesKey(String(record["_measurement"]), Object.fromEntries(labels));
}

function timeOf(record: Record<string, unknown>): number {
  return Date.parse(String(record["_time"]));
}
