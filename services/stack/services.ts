import { fileURLToPath } from "node:url";
import { exitCodes } from "../shared/errors.js";
import { STOP_LIMIT_MS, type ServiceName } from "../shared/lifecycle.js";
import { type Exit, type KeptProcess, keepRunning } from "./keep-running.js";
import { bytesOf, lastLines } from "./last-lines.js";
import type { Environment } from "./run-tool.js";
import { logFile, pidFile } from "./servers.js";
import type { ServiceEvent, StackEvent } from "./stack-event.js";

/** A service ends itself within STOP_LIMIT_MS and says why; SIGKILL is for one that cannot. */
const KILL_AFTER_MS = STOP_LIMIT_MS + 2_000;

/** With these a service would end again, until a person has corrected what it names. */
const lastingExitCodes: readonly (number | null)[] = [exitCodes.usage, exitCodes.configuration];

const program = fileURLToPath(new URL("../cli/main.js", import.meta.url));

export interface ServicesOptions {
  readonly home: string;
  readonly configFile: string;
  readonly environment: Environment;
  readonly onEvent: (event: StackEvent) => void;
}

export interface RunningServices {
  /** Stops all, side by side; resolves when no process is left. */
  readonly stop: () => Promise<void>;
  /** SIGKILL to all, at once. */
  readonly kill: () => void;
}

/** Starts services as processes of their own, and starts each again when it ends, unless it would end again at once. */
export function startServices(
  services: readonly ServiceName[],
  { home, configFile, environment, onEvent }: ServicesOptions,
): RunningServices {
  const start = (service: ServiceName): KeptProcess => {
    const file = logFile(home, service);
    let logged = 0;
    const tell = (event: Omit<ServiceEvent, "kind" | "service" | "logFile">) =>
      onEvent({ kind: "service", service, logFile: file, ...event });
    return keepRunning({
      launch: {
        command: process.execPath,
        args: [program, service, "--config", configFile],
        cwd: process.cwd(),
        environment,
      },
      logFile: file,
      pidFile: pidFile(home, service),
      withChannel: true,
      stopLimitMs: KILL_AFTER_MS,
      shouldRestart: ({ code }) => !lastingExitCodes.includes(code),
      onStarted: (pid) => {
        logged = bytesOf(file);
        tell({ state: "started", pid, reason: null, restartInMs: null });
      },
      onExit: (exit, restartInMs) =>
        tell({
          state: restartInMs === null ? "failed" : "exited",
          pid: null,
          reason: reasonOf(exit, lastLines(file, logged)),
          restartInMs,
        }),
    });
  };
  const running = services.map((service) => ({ service, kept: start(service) }));
  return {
    stop: async () => {
      await Promise.all(
        running.map(async ({ service, kept }) => {
          await kept.stop();
          const file = logFile(home, service);
          const state = { state: "stopped", pid: null, reason: null, restartInMs: null } as const;
          onEvent({ kind: "service", service, logFile: file, ...state });
        }),
      );
    },
    kill: () => {
      for (const { kept } of running) kept.kill();
    },
  };
}

/** What the service told since its start before it failed, or how it ended. */
function reasonOf({ code, signal }: Exit, logged: readonly string[]): string {
  if (code === null) return `ended by ${signal ?? "an error"}`;
  const failure = logged.map(parseLogLine).findLast((line) => line?.event === "service.failed");
  if (failure !== undefined && failure !== null) return `${failure.code}: ${failure.msg} ${failure.action}`;
  // What ends the command before there is a service, a wrong configuration for example, is a plain line.
  return logged.findLast((line) => /^[A-Z_]+: /.test(line)) ?? `ended with ${code}`;
}

interface LogLine {
  readonly event?: string;
  readonly code?: string;
  readonly msg?: string;
  readonly action?: string;
}

function parseLogLine(line: string): LogLine | null {
  try {
    return JSON.parse(line) as LogLine | null;
  } catch {
    return null;
  }
}
