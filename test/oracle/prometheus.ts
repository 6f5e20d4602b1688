import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { prometheusRecipes } from "../../services/stack/acquire-prometheus.js";
import { findProgram } from "../../services/stack/find-tool.js";
import { installServer } from "../../services/stack/install-server.js";
import { freePorts } from "../stack/servers-for-tests.js";

/** One series of a family: its labels, and samples with timestamps in milliseconds, ascending. */
export interface FamilySeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
}

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

export interface Programs {
  readonly prometheus: string;
  readonly promtool: string;
}

const HOME = resolve(".millrace/prometheus-3");
/** A test file's own limit is ten minutes; Go keeps what it built so far. */
const BUILD_LIMIT_MS = 540_000;

/**
 * Prometheus 3 and its promtool: those on the PATH, those of the stack, or else built by Go into a folder of their own.
 * Debian's is 2.42, whose windows hold their left edge and whose rate extrapolates otherwise. Rejects with
 * TOOL_MISSING where there is no Go. Building takes some minutes, once.
 */
export async function prometheus3(
  print: (line: string) => void = () => undefined,
  signal: AbortSignal = AbortSignal.timeout(BUILD_LIMIT_MS),
): Promise<Programs> {
  const folders = (process.env["PATH"] ?? "").split(":");
  const found = [...folders, resolve(".millrace/servers/prometheus"), join(HOME, "prometheus")]
    .map((folder) => programsIn(folder))
    .find(({ prometheus, promtool }) => isThree(prometheus) && isThree(promtool));
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
  return programsIn(join(HOME, "prometheus"));
}

function programsIn(folder: string): Programs {
  return { prometheus: join(folder, "prometheus"), promtool: join(folder, "promtool") };
}

/** One that Go installed says no version. */
function isThree(program: string): boolean {
  const { status, stdout } = spawnSync(program, ["--version"], { encoding: "utf8", timeout: 10_000 });
  return status === 0 && !/version [012]\./.test(stdout);
}

function withoutPrometheus(folders: readonly string[]): string {
  return folders.filter((folder) => findProgram("prometheus", { PATH: folder }) === null).join(":");
}

/**
 * Starts it with the samples of one family, a counter's (the name ends in _total) or a gauge's: written as OpenMetrics,
 * which has no stale markers, and made a block of by promtool.
 */
export async function openPrometheus(
  { prometheus, promtool }: Programs,
  family: string,
  series: readonly FamilySeries[],
): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-prometheus-"));
  const [metrics, data, config] = ["metrics.txt", "data", "prometheus.yml"].map((name) => join(folder, name));
  mkdirSync(data);
  writeFileSync(metrics, openMetrics(family, series));
  writeFileSync(config, "{}\n");
  const made = spawnSync(promtool, ["tsdb", "create-blocks-from", "openmetrics", metrics, data], {
    encoding: "utf8",
  });
  if (made.status !== 0) throw new Error(`promtool: ${made.stderr}`);
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    prometheus,
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${data}`,
      // The samples are old, and stay.
      "--storage.tsdb.retention.time=100y",
      `--web.listen-address=127.0.0.1:${port}`,
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
  } catch (error) {
    await close();
    throw error;
  }
  return { ask: (...question) => askRange(url, ...question), close };
}

function openMetrics(family: string, series: readonly FamilySeries[]): string {
  const isCounter = family.endsWith("_total");
  const lines = [`# TYPE ${family.replace(/_total$/, "")} ${isCounter ? "counter" : "gauge"}`];
  for (const { labels, timestamps, values } of series) {
    const text = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    for (const [i, value] of values.entries()) {
      // Seconds, cut to milliseconds as they are read: half of one more survives the rounding.
      const seconds = `${Math.trunc(timestamps[i] / 1000)}.${String(timestamps[i] % 1000).padStart(3, "0")}5`;
      lines.push(`${family}{${text.join(",")}} ${goNumber(value)} ${seconds}`);
    }
  }
  return `${lines.join("\n")}\n# EOF\n`;
}

function goNumber(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? "-0" : `${value}`;
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
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
