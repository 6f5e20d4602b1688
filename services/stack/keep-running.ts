import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, renameSync } from "node:fs";
import { dirname } from "node:path";
import { bytesOf } from "./last-lines.js";
import { forgetProcess, rememberProcess } from "./process-identity.js";
import type { Launch } from "./server-definition.js";

const BACKOFF_MS_MIN = 1_000;
const BACKOFF_MS_MAX = 30_000;
/** A process that ran for so long is healthy: its next end counts as the first. */
const HEALTHY_AFTER_MS = 60_000;
/** A log that is longer when its process starts is put aside; one older log is kept. */
const LOG_BYTES_MAX = 20_000_000;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface KeptProcess {
  readonly pid: () => number | null;
  /** SIGTERM, a bounded wait, SIGKILL. Resolves when it is gone, and will not come back. */
  readonly stop: () => Promise<void>;
  /** SIGKILL, at once. */
  readonly kill: () => void;
}

export interface KeepOptions {
  readonly launch: Launch;
  readonly logFile: string;
  readonly pidFile: string;
  /** A channel to the child, which closes when this process dies, however it dies. */
  readonly withChannel: boolean;
  readonly stopLimitMs: number;
  readonly shouldRestart: (exit: Exit) => boolean;
  readonly onStarted: (pid: number) => void;
  /** `restartInMs` is null where it stays down. Not called for the end that `stop` brings. */
  readonly onExit: (exit: Exit, restartInMs: number | null) => void;
}

/** Milliseconds to wait before the restart after so many ends in a row: 1 s, doubled up to 30 s. */
export function restartDelayMs(failures: number): number {
  return Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** (failures - 1));
}

/**
 * Runs a program and, where `shouldRestart` says so, runs it again when it ends. Its output goes to a log file. Throws
 * where that cannot be written at the first start.
 */
export function keepRunning(options: KeepOptions): KeptProcess {
  let child: ChildProcess | null = null;
  let restartTimer: NodeJS.Timeout | undefined;
  let failures = 0;
  let isStopping = false;
  let gone = Promise.resolve();

  const keep = (started: ChildProcess) => {
    const startedAt = performance.now();
    child = started;
    gone = new Promise((resolve) => {
      const end = (exit: Exit) => {
        if (child !== started) return;
        child = null;
        forgetProcess(options.pidFile);
        resolve();
        ended(exit, performance.now() - startedAt);
      };
      started.once("exit", (code, signal) => end({ code, signal }));
      started.on("error", () => {
        // It could not even be started.
        if (started.pid === undefined) end({ code: null, signal: null });
      });
    });
    if (started.pid === undefined) return;
    try {
      rememberProcess(options.pidFile, started.pid);
    } catch {
      // On a full disk it runs all the same; only that a later run would not know it for a leftover.
    }
    options.onStarted(started.pid);
  };
  const ended = (exit: Exit, ranMs: number) => {
    if (isStopping) return;
    failures = ranMs >= HEALTHY_AFTER_MS ? 1 : failures + 1;
    const restartInMs = options.shouldRestart(exit) ? restartDelayMs(failures) : null;
    if (restartInMs !== null) restartTimer = setTimeout(restart, restartInMs);
    options.onExit(exit, restartInMs);
  };
  const restart = () => {
    let started: ChildProcess;
    try {
      started = spawnLogged(options);
    } catch {
      // Its log cannot be written, on a full disk for example: later, maybe.
      ended({ code: null, signal: null }, 0);
      return;
    }
    keep(started);
  };

  keep(spawnLogged(options));
  return {
    pid: () => child?.pid ?? null,
    stop: async () => {
      isStopping = true;
      clearTimeout(restartTimer);
      const running = child;
      running?.kill("SIGTERM");
      const killTimer = setTimeout(() => running?.kill("SIGKILL"), options.stopLimitMs);
      await gone;
      clearTimeout(killTimer);
    },
    kill: () => {
      isStopping = true;
      clearTimeout(restartTimer);
      child?.kill("SIGKILL");
    },
  };
}

function spawnLogged({ launch, logFile, withChannel }: KeepOptions): ChildProcess {
  mkdirSync(dirname(logFile), { recursive: true, mode: 0o700 });
  putAside(logFile);
  const log = openSync(logFile, "a");
  try {
    const stdio: StdioOptions = ["ignore", log, log];
    if (withChannel) stdio.push("ipc");
    return spawn(launch.command, launch.args, {
      cwd: launch.cwd,
      env: launch.environment,
      stdio,
      // A group of its own: Ctrl-C in the terminal goes to us, and we stop everything in order.
      detached: true,
    });
  } finally {
    closeSync(log);
  }
}

function putAside(logFile: string): void {
  if (bytesOf(logFile) > LOG_BYTES_MAX) renameSync(logFile, `${logFile}.1`);
}
