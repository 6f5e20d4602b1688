import assert from "node:assert/strict";
import type { Config } from "../../services/shared/config-schema.js";
import { type Range, type Samples, addSample, seriesKey } from "./samples.js";

/** What Prometheus itself says, asked and read without any code of the poller's. */

async function ask(config: Config, path: string, form: Record<string, string> = {}): Promise<unknown> {
  const url = `${config.extract.prometheus.url}/api/v1/${path}?${new URLSearchParams(form).toString()}`;
  const answer = (await (await fetch(url)).json()) as { status: string; data: unknown };
  assert.equal(answer.status, "success", JSON.stringify(answer));
  return answer.data;
}

interface Vector {
  readonly result: readonly {
    readonly metric: Readonly<Record<string, string>>;
    readonly value?: [number, string];
    readonly values?: [number, string][];
  }[];
}

/** The samples as they are stored. */
export async function storedSamples(config: Config, selector: string, { from, to }: Range): Promise<Samples> {
  const query = `${selector}[${to - from}ms]`;
  const { result } = (await ask(config, "query", { query, time: String(to / 1000) })) as Vector;
  const samples: Samples = new Map();
  for (const { metric, values = [] } of result) {
    const { __name__: name, ...labels } = metric;
    for (const [seconds, text] of values) {
      const timestamp = Math.round(seconds * 1000);
      // Before 3.0 Prometheus counts the left edge in.
      if (timestamp > from) addSample(samples, seriesKey(name, labels), timestamp, numberOf(text));
    }
  }
  return samples;
}

/**
 * The rates of a metric's series at one time over (time − window, time], by series.
 * Before 3.0 Prometheus counts the left edge in: a window that is a millisecond shorter holds the same samples, and the rate
 * is the same wherever it is extrapolated to the window's edge.
 */
export async function ratesAt(
  config: Config,
  metric: string,
  timestamp: number,
  windowMs: number,
): Promise<Map<string, number>> {
  const { version } = (await ask(config, "status/buildinfo")) as { version: string };
  const rangeMs = Number(version.split(".")[0]) >= 3 ? windowMs : windowMs - 1;
  const query = `rate(${metric}[${rangeMs}ms])`;
  const { result } = (await ask(config, "query", { query, time: String(timestamp / 1000) })) as Vector;
  return new Map(result.map(({ metric: labels, value }) => [seriesKey(metric, labels), numberOf(value![1])]));
}

/** The type that Prometheus knows of each metric family. */
export async function metricFamilies(config: Config): Promise<Map<string, string>> {
  const families = (await ask(config, "metadata")) as Record<string, { type: string }[]>;
  return new Map(Object.entries(families).map(([name, [{ type }]]) => [name, type]));
}

function numberOf(text: string): number {
  if (text.endsWith("Inf")) return text.startsWith("-") ? -Infinity : Infinity;
  return Number(text);
}
