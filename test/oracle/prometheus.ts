import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { prometheusRecipes } from "../../services/stack/acquire-prometheus.js";
import { findProgram } from "../../services/stack/find-tool.js";
import { installServer } from "../../services/stack/install-server.js";
import { freePorts } from "../stack/servers-for-tests.js";
import { type WrittenSeries, writeRequest } from "./remote-write.js";

/** A running Prometheus that holds given samples and scrapes nothing. */
export interface Prometheus {
  /**
   * A query at each of the instants from … to, `stepMs` apart: for each series of the answer, labels and as many values
   * as instants, NaN where the series has none.
   */
  readonly ask: (query: string, fromMs: number, toMs: number, stepMs: number) => Promise<AnsweredSeries[]>;
  readonly close: () => Promise<void>;
}

export interface AnsweredSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly values: Float64Array;
}

const HOME = resolve(".millrace/prometheus-3");
/** A test file's own limit is ten minutes; Go keeps what it built so far. */
const BUILD_LIMIT_MS = 540_000;

/**
 * The program Prometheus 3: that of the PATH, that of the stack, or else one that Go builds into a folder of its own.
 * Debian's is 2.42, whose windows hold their left edge and whose rate extrapolates otherwise. Rejects with
 * TOOL_MISSING where there is no Go. Building takes some minutes, once.
 */
export async function prometheus3(
  print: (line: string) => void = () => undefined,
  signal: AbortSignal = AbortSignal.timeout(BUILD_LIMIT_MS),
): Promise<string> {
  const folders = (process.env["PATH"] ?? "").split(":");
  const found = [...folders, resolve(".millrace/servers/prometheus"), join(HOME, "prometheus")]
    .map((folder) => join(folder, "prometheus"))
    .find(isThree);
  if (found !== undefined) return found;
  // Whatever is on the PATH is too old: Go's recipe is the last.
  const environment = { ...process.env, PATH: withoutPrometheus(folders) };
  await installServer({
    recipes: prometheusRecipes(environment).slice(-1),
    serversFolder: HOME,
    logsFolder: HOME,
    environment,
    onProgress: print,
    signal,
  });
  return join(HOME, "prometheus/prometheus");
}

/** One that Go installed says no version. */
function isThree(program: string): boolean {
  const { status, stdout } = spawnSync(program, ["--version"], { encoding: "utf8", timeout: 10_000 });
  return status === 0 && !/version [012]\./.test(stdout);
}

function withoutPrometheus(folders: readonly string[]): string {
  return folders.filter((folder) => findProgram("prometheus", { PATH: folder }) === null).join(":");
}

/** Samples go in order of time, in requests of so much of it: a Prometheus takes none that is an hour late. */
const REQUEST_SPAN_MS = 600_000;

/** Starts it with these samples, which go in by remote write: to the bit, stale markers too. */
export async function openPrometheus(program: string, series: readonly WrittenSeries[]): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-prometheus-"));
  const config = join(folder, "prometheus.yml");
  writeFileSync(config, "{}\n");
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    program,
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      // The samples are old, and stay.
      "--storage.tsdb.retention.time=100y",
      `--web.listen-address=127.0.0.1:${port}`,
      "--web.enable-remote-write-receiver",
      "--log.level=error",
    ],
    { stdio: "ignore" },
  );
  const close = async () => {
    if (child.exitCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(url, () => child.exitCode);
    await write(url, series);
  } catch (error) {
    await close();
    throw error;
  }
  return { ask: (...question) => askRange(url, ...question), close };
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

async function untilReady(url: string, exitCode: () => number | null): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline) {
    if (exitCode() !== null) throw new Error(`Prometheus ended with ${exitCode() ?? ""}`);
    const response = await fetch(`${url}/-/ready`).catch(() => null);
    if (response?.ok === true) return;
    await sleep(50);
  }
  throw new Error("Prometheus is not ready after a minute");
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
