import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../shared/config-schema.js";
import { MillraceError, asMillraceError } from "../shared/errors.js";
import { isDiskFull, reasonIn, saysDiskFull } from "./failure-reason.js";
import { influxdbServer } from "./influxdb-server.js";
import { kafkaServer } from "./kafka-server.js";
import { type Exit, type KeptProcess, keepRunning } from "./keep-running.js";
import { bytesOf, lastLines } from "./last-lines.js";
import { nodeExporterServer } from "./node-exporter-server.js";
import { addressText, bindHost, isLoopback } from "./probe.js";
import { stopLeftover } from "./process-identity.js";
import { prometheusServer } from "./prometheus-server.js";
import { registryServer } from "./registry-server.js";
import type { Environment } from "./run-tool.js";
import type { Address, ServerDefinition } from "./server-definition.js";
import { type ServerName, serverNames, serverTitles } from "./server-name.js";
import type { StackEvent } from "./stack-event.js";

const definitions: Record<ServerName, ServerDefinition> = {
  kafka: kafkaServer,
  registry: registryServer,
  influxdb: influxdbServer,
  prometheus: prometheusServer,
  "node-exporter": nodeExporterServer,
};

const PROBE_INTERVAL_MS = 100;
/** Long enough for a slow machine, and for a Prometheus or Kafka that reads its log after a crash. */
const START_LIMIT_MS = 180_000;
const STOP_LIMIT_MS = 10_000;

export interface ServersOptions {
  readonly environment: Environment;
  readonly onEvent: (event: StackEvent) => void;
  readonly signal: AbortSignal;
  /** Called before anything is started with what sends SIGKILL to all that was started so far. */
  readonly onKillable?: (kill: () => void) => void;
}

/**
 * Stops what an earlier run left behind, and finds out which servers must be started: those that do not answer where the
 * configuration has them. Throws PORT_IN_USE where something else does, and SERVER_START_FAILED where a server that
 * does not answer is not on this machine.
 */
export async function planServers(
  config: Config,
  { onEvent }: Pick<ServersOptions, "onEvent">,
  servers: readonly ServerName[] = serverNames,
): Promise<ServerName[]> {
  const { home } = config.stack;
  await Promise.all(servers.map((server) => stopLeftover(pidFile(home, server))));
  const isMissing = await Promise.all(
    servers.map((server) => mustBeStarted(definitions[server], config, onEvent)),
  );
  const missing = servers.filter((_, i) => isMissing[i]);
  const uses = missing.flatMap((server) => portUses(definitions[server], config));
  for (const [i, { host, port, key, purpose }] of uses.entries()) {
    const other = uses.slice(0, i).find((earlier) => earlier.port === port);
    if (other !== undefined) {
      throw new MillraceError(
        "PORT_IN_USE",
        `Port ${port} is for ${other.purpose} (${other.key}) as well as for ${purpose} (${key}).`,
      );
    }
    // Nothing answers there, yet the port may be bound, by a client's end of a connection for example.
    await requirePort({ host, port }, key, purpose);
  }
  return missing;
}

function portUses({ addressKey, address, morePorts, name }: ServerDefinition, config: Config) {
  const { host, port } = address(config);
  return [
    { host: bindHost(host), port, key: addressKey, purpose: serverTitles[name] },
    ...morePorts(config).map((use) => ({ host: "127.0.0.1", ...use })),
  ];
}

async function mustBeStarted(
  definition: ServerDefinition,
  config: Config,
  onEvent: (event: StackEvent) => void,
): Promise<boolean> {
  const { name, addressKey } = definition;
  const title = serverTitles[name];
  const address = definition.address(config);
  const probe = await untilStarted(definition, config);
  if (probe === "ready") {
    onEvent({
      kind: "server",
      server: name,
      title,
      state: "found",
      address: addressText(address),
      logFile: null,
      restartInMs: null,
    });
    return false;
  }
  if (probe !== "absent") {
    throw new MillraceError(
      "PORT_IN_USE",
      `${addressText(address)}, for ${title} (${addressKey}), is in use by something else.`,
    );
  }
  if (!isLoopback(address.host)) {
    throw new MillraceError(
      "SERVER_START_FAILED",
      `${title} does not answer at ${addressText(address)} (${addressKey}), and only servers on 127.0.0.1 can be started here.`,
    );
  }
  return true;
}

/** A server that somebody has just started is waited for. */
async function untilStarted(definition: ServerDefinition, config: Config) {
  const deadline = Date.now() + STOP_LIMIT_MS;
  let probe = await definition.probe(config);
  while (probe === "starting" && Date.now() < deadline) {
    await sleep(PROBE_INTERVAL_MS);
    probe = await definition.probe(config);
  }
  return probe;
}

/** Throws PORT_IN_USE, which names the key of the configuration. */
export async function requirePort({ host, port }: Address, key: string, purpose: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      // Another error is the server's own to meet and to tell.
      if (error.code !== "EADDRINUSE") resolve();
      else reject(new MillraceError("PORT_IN_USE", `Port ${port}, for ${purpose} (${key}), is in use.`));
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve()));
  });
}

export interface RunningServers {
  /** Stops all, those that need others first; resolves when no process is left. */
  readonly stop: () => Promise<void>;
  /** SIGKILL to all, at once. */
  readonly kill: () => void;
  readonly pid: (server: ServerName) => number | null;
}

/**
 * Starts servers that are installed or on the PATH, side by side, and keeps them running. Resolves when all answer.
 * Rejects with SERVER_START_FAILED, which names the log, or DISK_FULL, once those that were started are stopped again.
 */
export async function startServers(
  config: Config,
  servers: readonly ServerName[],
  options: ServersOptions,
): Promise<RunningServers> {
  const { home } = config.stack;
  const processes = new Map<ServerName, KeptProcess>();
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const ready = new Map<ServerName, Promise<void>>();

  const stopThose = (names: readonly ServerName[]) =>
    Promise.all(
      names.map(async (server) => {
        const kept = processes.get(server);
        if (kept === undefined) return;
        await kept.stop();
        options.onEvent(serverEvent(server, "stopped"));
      }),
    );
  const serverEvent = (
    server: ServerName,
    state: "started" | "exited" | "stopped",
    restartInMs: number | null = null,
  ): StackEvent => ({
    kind: "server",
    server,
    title: serverTitles[server],
    state,
    address: addressText(definitions[server].address(config)),
    logFile: logFile(home, server),
    restartInMs,
  });
  const running: RunningServers = {
    stop: async () => {
      await stopThose(servers.filter((server) => server !== "kafka"));
      // Last: others still write to it.
      await stopThose(["kafka"]);
    },
    kill: () => {
      for (const kept of processes.values()) kept.kill();
    },
    pid: (server) => processes.get(server)?.pid() ?? null,
  };

  const start = async (server: ServerName) => {
    const definition = definitions[server];
    await Promise.all(definition.needs.flatMap((needed) => ready.get(needed) ?? []));
    signal.throwIfAborted();
    const startedAt = performance.now();
    const step = (state: "running" | "done", detail: string) =>
      options.onEvent({
        kind: "step",
        step: `start ${server}`,
        state,
        detail,
        elapsedMs: Math.round(performance.now() - startedAt),
      });
    step("running", "starting");
    const folders = {
      program: resolve(home, "servers", server),
      data: resolve(home, "data", server),
      config: resolve(home, "config", server),
    };
    for (const folder of [folders.data, folders.config]) mkdirSync(folder, { recursive: true, mode: 0o700 });
    const launch = await definition.prepareLaunch(config, folders, options.environment, signal);
    signal.throwIfAborted();
    const file = logFile(home, server);
    const logged = bytesOf(file);
    let hasAnswered = false as boolean;
    let end: Exit | null = null as Exit | null;
    const kept = keepRunning({
      launch,
      logFile: file,
      pidFile: pidFile(home, server),
      withChannel: false,
      stopLimitMs: STOP_LIMIT_MS,
      shouldRestart: () => hasAnswered,
      onStarted: () => undefined,
      onExit: (exit, restartInMs) => {
        if (hasAnswered) options.onEvent(serverEvent(server, "exited", restartInMs));
        else end = exit;
      },
    });
    processes.set(server, kept);
    const deadline = Date.now() + START_LIMIT_MS;
    const requireRunning = () => {
      signal.throwIfAborted();
      const what = end === null ? `did not answer within ${START_LIMIT_MS / 1000} s` : wordsOf(end);
      if (end !== null || Date.now() > deadline) throw startFailure(server, what, file, logged);
    };
    while ((await definition.probe(config)) !== "ready" || kept.pid() === null) {
      requireRunning();
      step("running", "waiting for its answer");
      await sleep(PROBE_INTERVAL_MS, undefined, { signal });
    }
    await definition.setUp?.(config);
    requireRunning();
    hasAnswered = true;
    step("done", "");
    options.onEvent(serverEvent(server, "started"));
  };

  options.onKillable?.(running.kill);
  // In the order of serverNames, so that what a server needs is in `ready` before it.
  for (const server of serverNames.filter((name) => servers.includes(name))) {
    const starting = start(server).catch((error: unknown) => {
      failed.abort(asStartFailure(error, server, home));
      throw error;
    });
    starting.catch(() => undefined);
    ready.set(server, starting);
  }
  await Promise.allSettled(ready.values());
  if (signal.aborted) {
    await running.stop();
    throw signal.reason;
  }
  return running;
}

function wordsOf({ code, signal }: Exit): string {
  if (code === null && signal === null) return "cannot be run";
  return `ended with ${code ?? signal} while it started`;
}

/** `logged`: how long its log was before. */
function startFailure(server: ServerName, what: string, file: string, logged: number): MillraceError {
  const reason = reasonIn(lastLines(file, logged)) ?? "it logged nothing";
  return new MillraceError(
    saysDiskFull(reason) ? "DISK_FULL" : "SERVER_START_FAILED",
    `${serverTitles[server]} ${what}: ${reason} (log: ${file}).`,
  );
}

/** What was thrown while its folders and files were made, or while it was set up. */
function asStartFailure(error: unknown, server: ServerName, home: string): MillraceError {
  if (error instanceof MillraceError) return error;
  const title = serverTitles[server];
  if (isDiskFull(error)) {
    return new MillraceError("DISK_FULL", `${title}: the disk that holds ${home} is full.`, { cause: error });
  }
  const { message } = asMillraceError(error);
  return new MillraceError(
    "SERVER_START_FAILED",
    `${title} cannot be started: ${message} (log: ${logFile(home, server)}).`,
    { cause: error },
  );
}

/** Where a server's or service's process is remembered. */
export function pidFile(home: string, name: string): string {
  return join(home, "run", `${name}.json`);
}

export function logFile(home: string, name: string): string {
  return join(home, "logs", `${name}.log`);
}
