import type { Config } from "../shared/config-schema.js";
import { MillraceError } from "../shared/errors.js";
import type { ServiceName } from "../shared/lifecycle.js";
import { createLogger } from "../shared/telemetry.js";
import { acquireServers } from "./acquire.js";
import { prepare } from "./prepare.js";
import { forgetProcess, rememberProcess, rememberedProcess, stopLeftover } from "./process-identity.js";
import type { Environment } from "./run-tool.js";
import { type ServerName, serverNames } from "./server-name.js";
import { type RunningServers, pidFile, planServers, requirePort, startServers } from "./servers.js";
import { type RunningServices, startServices } from "./services.js";
import type { StackEvent } from "./stack-event.js";

export interface StackOptions {
  readonly configFile: string;
  /** What servers, services and tools are run with. */
  readonly environment?: Environment;
  readonly onEvent: (event: StackEvent) => void;
  readonly signal: AbortSignal;
}

/** What runs, from the first thing that was started on; so it can be ended in the middle of the start, too. */
export interface Stack {
  /** Resolves once all was started. Rejects, with nothing left running, as the first part that could not be started does. */
  readonly started: Promise<void>;
  /** Services first, then servers, Kafka last; resolves when no process is left. */
  readonly stop: () => Promise<void>;
  /** SIGKILL to all, at once. */
  readonly kill: () => void;
}

/** The order of the dataflow; the simulator only where our own Prometheus scrapes it. */
const services: readonly ServiceName[] = ["poller", "processor", "sink"];

/**
 * Brings the whole system up on this machine: acquires and starts the servers that do not answer where the configuration
 * has them, creates topics, schemas and bucket, starts the services, and keeps all of it running. Rejects with
 * ALREADY_RUNNING, PORT_IN_USE, TOOL_MISSING, DISK_FULL, SERVER_BUILD_FAILED, SERVER_START_FAILED, or as prepare does.
 */
export function bringUp(config: Config, options: StackOptions): Stack {
  const { home } = config.stack;
  const ownPidFile = pidFile(home, "up");
  let servers: RunningServers | undefined;
  let killServers: (() => void) | undefined;
  let running: RunningServices | undefined;
  /** Whether the file is ours: another run's must stay, or a third would take what runs for a leftover. */
  let hasClaim = false;
  let isStopping = false;

  const start = async () => {
    const other = rememberedProcess(ownPidFile);
    if (other !== null) {
      throw new MillraceError(
        "ALREADY_RUNNING",
        `Millrace runs in ${home} already, as process ${other.pid}.`,
      );
    }
    rememberProcess(ownPidFile, process.pid);
    hasClaim = true;
    try {
      await startAll();
    } catch (error) {
      await stop();
      throw error;
    }
  };

  const startAll = async () => {
    const { configFile, environment = process.env, onEvent, signal } = options;
    const { missing, hasOwnPrometheus } = await plan(config, onEvent);
    const started = hasOwnPrometheus ? [...services, "simulator" as const] : services;
    await requireServicePorts(config, started);
    signal.throwIfAborted();
    await acquire(missing, config, options);
    servers = await startServers(config, missing, {
      environment,
      onEvent,
      signal,
      onKillable: (kill) => (killServers = kill),
    });
    await step("prepare", onEvent, async () => {
      const { createdTopics, registeredSchemas, createdBucket } = await prepare(
        config,
        createLogger("stack", "silent"),
      );
      const { bucket } = config.load.influxdb;
      return [
        `${createdTopics.length} topics created`,
        `${registeredSchemas} schemas registered`,
        ...(createdBucket === true ? [`bucket ${bucket} created`] : []),
      ].join(", ");
    });
    signal.throwIfAborted();
    running = startServices(started, { home, configFile, environment, onEvent });
  };

  const started = start();
  started.catch(() => undefined);

  async function stop(): Promise<void> {
    if (isStopping) return;
    isStopping = true;
    await running?.stop();
    await servers?.stop();
    if (hasClaim) forgetProcess(ownPidFile);
  }

  return {
    started,
    stop: async () => {
      await started.catch(() => undefined);
      await stop();
    },
    kill: () => {
      isStopping = true;
      running?.kill();
      killServers?.();
    },
  };
}

/** Services of a run that was killed end by themselves, since it held a channel to them; they are given the time. */
async function plan(
  config: Config,
  onEvent: (event: StackEvent) => void,
): Promise<{ missing: ServerName[]; hasOwnPrometheus: boolean }> {
  const { home } = config.stack;
  await Promise.all([...services, "simulator"].map((service) => stopLeftover(pidFile(home, service))));
  const all = serverNames.filter((server) => server !== "node-exporter");
  const missing = await planServers(config, { onEvent }, all);
  const hasOwnPrometheus = missing.includes("prometheus");
  // Somebody else's Prometheus would not scrape a node exporter of ours.
  if (hasOwnPrometheus) missing.push(...(await planServers(config, { onEvent }, ["node-exporter"])));
  return { missing, hasOwnPrometheus };
}

async function requireServicePorts({ telemetry }: Config, names: readonly ServiceName[]): Promise<void> {
  const { host, ports } = telemetry;
  for (const name of names) {
    if (ports[name] === 0) continue;
    await requirePort({ host, port: ports[name] }, `telemetry.ports.${name}`, `the ${name}'s telemetry`);
  }
}

async function acquire(
  missing: readonly ServerName[],
  { stack }: Config,
  { environment = process.env, onEvent, signal }: StackOptions,
): Promise<void> {
  const startedAt = performance.now();
  const tell = (server: ServerName, state: "running" | "done", detail: string) =>
    onEvent({
      kind: "step",
      step: `acquire ${server}`,
      state,
      detail,
      elapsedMs: Math.round(performance.now() - startedAt),
    });
  await acquireServers(missing, {
    home: stack.home,
    environment,
    signal,
    onProgress: (server, detail) => tell(server, "running", detail),
    onInstalled: (server) => tell(server, "done", ""),
  });
}

async function step(
  name: string,
  onEvent: (event: StackEvent) => void,
  work: () => Promise<string>,
): Promise<void> {
  const startedAt = performance.now();
  const tell = (state: "running" | "done", detail: string) =>
    onEvent({
      kind: "step",
      step: name,
      state,
      detail,
      elapsedMs: Math.round(performance.now() - startedAt),
    });
  tell("running", "");
  tell("done", await work());
}
