import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { prometheusFromGo } from "../../services/stack/acquire-prometheus.js";
import { MillraceError } from "../../services/shared/errors.js";
import { installServer } from "../../services/stack/install-server.js";
import { openProgress } from "../runner/progress.js";
import { freePorts } from "../stack/servers-for-tests.js";
import { startPrometheus } from "./prometheus-process.js";
import { type WrittenSeries, writeRequest } from "./remote-write.js";

/** A running Prometheus that holds given samples and scrapes nothing. */
export interface Prometheus {
  /**
   * A query at each of the instants from … to, `stepMs` apart: for each series of the answer, labels and as many values
   * as instants, NaN where the series has none.
   */
  readonly ask: (query: string, fromMs: number, toMs: number, stepMs: number) => Promise<AnsweredSeries[]>;
  /** Adds samples, none older than those of the same series. */
  readonly write: (series: readonly WrittenSeries[]) => Promise<void>;
  readonly url: string;
  readonly close: () => Promise<void>;
}

export interface AnsweredSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly values: Float64Array;
}

const HOME = resolve(".millrace/prometheus-3");

/** A Prometheus 3 of the PATH, of the stack, or of an earlier installation; null where there is none. */
export function findPrometheus3(): string | null {
  const folders = (process.env["PATH"] ?? "").split(":");
  const candidates = [...folders, resolve(".millrace/servers/prometheus"), join(HOME, "prometheus")];
  return candidates.map((folder) => join(folder, "prometheus")).find(isThree) ?? null;
}

/**
 * Has Go build a Prometheus 3 where there is none: Debian's is 2.42, whose windows hold their left edge and whose rate
 * extrapolates otherwise. Takes some minutes, once. Without Go nothing happens, and the tests that need it say so.
 */
export async function installPrometheus3(print: (line: string) => void, signal: AbortSignal): Promise<void> {
  if (findPrometheus3() !== null) return;
  const { elapsed, tell } = openProgress(print);
  const onProgress = (detail: string) => tell(`Prometheus 3: ${detail.slice(0, 100)}`);
  const recipes = [prometheusFromGo(process.env)];
  try {
    const options = { serversFolder: HOME, logsFolder: HOME, environment: process.env, onProgress, signal };
    await installServer({ recipes, ...options });
    print(`✔ Prometheus 3 (${elapsed()})`);
  } catch (error) {
    if (!(error instanceof MillraceError && error.code === "TOOL_MISSING")) throw error;
  }
}

/** One that Go installed says no version. */
function isThree(program: string): boolean {
  const { status, stdout } = spawnSync(program, ["--version"], { encoding: "utf8", timeout: 10_000 });
  return status === 0 && !/version [012]\./.test(stdout);
}

/** Samples go in order of time, in requests of so much of it: a Prometheus takes none that is an hour late. */
const REQUEST_SPAN_MS = 600_000;

/** Starts it with these samples, which go in by remote write: to the bit, stale markers too. */
export async function openPrometheus(program: string, series: readonly WrittenSeries[]): Promise<Prometheus> {
  const [port] = await freePorts(1);
  const { url, close } = await startPrometheus(program, {
    port,
    config: "{}\n",
    // The samples are old, and stay.
    args: ["--storage.tsdb.retention.time=100y", "--web.enable-remote-write-receiver"],
  });
  try {
    await write(url, series);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    ask: (...question) => askRange(url, ...question),
    write: (more) => write(url, more),
    url,
    close,
  };
}

async function write(url: string, series: readonly WrittenSeries[]): Promise<void> {
  const times = series.flatMap(({ timestamps }) => [timestamps[0], timestamps[timestamps.length - 1]]);
  const endMs = Math.max(...times);
  for (let fromMs = Math.min(...times); fromMs <= endMs; fromMs += REQUEST_SPAN_MS) {
    const response = await fetch(`${url}/api/v1/write`, {
      method: "POST",
      headers: {
        "content-type": "application/x-protobuf",
        "content-encoding": "snappy",
        "x-prometheus-remote-write-version": "0.1.0",
      },
      body: writeRequest(series, fromMs, fromMs + REQUEST_SPAN_MS),
    });
    if (!response.ok) throw new Error(`remote write: ${response.status} ${await response.text()}`);
  }
}

interface Answer {
  readonly status: string;
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly values: readonly (readonly [number, string])[];
    }[];
  };
}

async function askRange(
  url: string,
  query: string,
  fromMs: number,
  toMs: number,
  stepMs: number,
): Promise<AnsweredSeries[]> {
  const parameters = { query, start: `${fromMs / 1000}`, end: `${toMs / 1000}`, step: `${stepMs / 1000}` };
  const response = await fetch(`${url}/api/v1/query_range`, {
    method: "POST",
    body: new URLSearchParams(parameters),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${query}: ${text}`);
  const count = Math.floor((toMs - fromMs) / stepMs) + 1;
  return (JSON.parse(text) as Answer).data.result.map(({ metric, values }) => {
    const all = new Float64Array(count).fill(NaN);
    for (const [seconds, value] of values)
      all[Math.round((Math.round(seconds * 1000) - fromMs) / stepMs)] = numberOf(value);
    return { labels: metric, values: all };
  });
}

function numberOf(text: string): number {
  if (text === "+Inf") return Infinity;
  return text === "-Inf" ? -Infinity : Number(text);
}
