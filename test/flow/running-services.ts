import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { readSystem } from "../../services/cli/system-reading.js";
import type { StageName } from "../../services/cli/status-report.js";
import { type MetricSample, parseMetricsText } from "../../services/cli/metrics-text.js";
import type { Config } from "../../services/shared/config-schema.js";
import { loadConfig } from "../../services/shared/config.js";
import { createKafka } from "../../services/shared/kafka.js";
import { createLogger } from "../../services/shared/telemetry.js";
import { testConfigFile } from "../stack/servers-for-tests.js";
import { waitFor } from "./wait-for.js";

const main = fileURLToPath(new URL("../../services/cli/main.js", import.meta.url));

/** A line of a service's log. */
export interface LogLine {
  /** Pino's: 30 info, 40 warn, 50 error, 60 fatal. */
  readonly level: number;
  readonly event: string;
  readonly code?: string;
  readonly msg?: string;
  readonly [detail: string]: unknown;
}

/** One service as a process of its own: `millrace <name> --config <file>`. */
export interface RunningService {
  readonly pid: number;
  /** What it has logged so far. */
  readonly log: readonly LogLine[];
  /** Resolves when the process is gone. */
  readonly ended: Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>;
  /** SIGTERM; resolves to the exit code, and how long the stop took. */
  readonly stop: () => Promise<{ exitCode: number | null; tookMs: number }>;
  /** SIGKILL. */
  readonly kill: () => Promise<void>;
}

/** The services of one configuration. */
export interface Flow {
  readonly config: Config;
  readonly file: string;
  readonly start: (name: StageName) => RunningService;
  /** Kills what still runs. */
  readonly close: () => Promise<void>;
}

/** The runner's servers: what a proxy of a test stands before. */
export function runnersServers(): Config {
  return loadConfig(process.env["MILLRACE_TEST_CONFIG"]);
}

/** A configuration of its own for a test, and the means to run its services. */
export async function openFlow(overrides: Record<string, unknown>): Promise<Flow> {
  const { config, file } = await testConfigFile(overrides);
  const started: RunningService[] = [];
  return {
    config,
    file,
    start: (name) => {
      const service = startService(name, file);
      started.push(service);
      return service;
    },
    close: async () => {
      await Promise.all(started.map((service) => service.kill()));
    },
  };
}

function startService(name: StageName, file: string): RunningService {
  const child = spawn(process.execPath, [main, name, "--config", file], {
    env: { PATH: process.env["PATH"] },
    // By the channel it knows when this process dies, and ends too.
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const log: LogLine[] = [];
  createInterface(child.stderr!).on("line", (line) => log.push(logLine(line)));
  const ended = new Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("close", (exitCode, signal) => resolve({ exitCode, signal }));
  });
  return {
    pid: child.pid!,
    log,
    ended,
    stop: async () => {
      const startedAt = performance.now();
      child.kill("SIGTERM");
      const { exitCode } = await ended;
      return { exitCode, tookMs: performance.now() - startedAt };
    },
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** What is no line of the log, a warning of Node's for one, is as bad as an error. */
function logLine(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return { level: 60, event: "no.json", msg: text };
  }
}

/** The lines that ask for somebody's attention, as `event code`. */
export function alarms(log: readonly LogLine[]): string[] {
  return log.filter(({ level }) => level >= 40).map(({ event, code }) => `${event} ${code ?? ""}`.trim());
}

/** What /readyz says: why the service is not ready, by condition; empty when it is, null where nothing answers. */
export async function readiness(flow: Flow, name: StageName): Promise<Record<string, string> | null> {
  const body = await page(flow, name, "/readyz");
  return body === null ? null : (JSON.parse(body) as { reasons: Record<string, string> }).reasons;
}

export async function untilReady(flow: Flow, names: readonly StageName[]): Promise<void> {
  for (const name of names) {
    await waitFor(
      `the ${name} is ready`,
      () => readiness(flow, name),
      (reasons) => reasons !== null && Object.keys(reasons).length === 0,
    );
  }
}

/** The samples on /metrics; none where nothing answers. */
export async function metricsOf(flow: Flow, name: StageName): Promise<MetricSample[]> {
  return parseMetricsText((await page(flow, name, "/metrics")) ?? "");
}

async function page({ config }: Flow, name: StageName, path: string): Promise<string | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${config.telemetry.ports[name]}${path}`);
    return await response.text();
  } catch {
    return null;
  }
}

/** How far the poller's transactions have brought all samples to Kafka, milliseconds since the epoch. */
export async function watermark(flow: Flow): Promise<number> {
  const samples = await metricsOf(flow, "poller");
  const watermarks = samples.filter(({ name }) => name === "millrace_poller_watermark_seconds");
  return watermarks.length === 0 ? -Infinity : 1000 * Math.min(...watermarks.map(({ value }) => value));
}

/** Waits until all samples up to a time are in InfluxDB, milliseconds since the epoch. */
export async function untilWritten(flow: Flow, timestamp: number): Promise<void> {
  await waitFor(
    "the poller's watermark has passed",
    () => watermark(flow),
    (reached) => reached >= timestamp,
  );
  const kafka = createKafka(flow.config, "test", createLogger("test", "silent"));
  const lag = async () => (await readSystem(flow.config, kafka, Date.now)).lagMessages;
  // What was in metrics.raw by then is in metrics.features once the processor has no lag, and in InfluxDB once the sink has none.
  await waitFor("the processor has caught up", lag, ({ processor }) => processor === 0);
  await waitFor("the sink has caught up", lag, ({ sink }) => sink === 0);
}

/** Where the poller began to read: the watermark before its first poll, milliseconds since the epoch. */
export async function beginning(poller: RunningService): Promise<number> {
  const started = await waitFor(
    "the poller's job has started",
    () => poller.log.find(({ event }) => event === "job.started"),
    (line) => line !== undefined,
  );
  return started!["watermark"] as number;
}
