import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MillraceError, asMillraceError } from "../shared/errors.js";
import { requireProgram } from "./find-tool.js";
import { type Environment, runTool } from "./run-tool.js";
import type { Stack, StackOptions } from "./up.js";

/** Where docker-compose.yml looks for them. */
const SECRETS_FOLDER = ".millrace/secrets";
const LOGS_FOLDER = ".millrace/logs";
const secrets = ["influxdb_token", "influxdb_password"];

/**
 * Brings the system of docker-compose.yml up, from the folder that holds it. Stopping removes the containers and keeps
 * the volumes. Rejects with TOOL_MISSING where no Docker engine answers, and with SERVER_BUILD_FAILED or DISK_FULL.
 */
export function bringUpWithDocker(options: Omit<StackOptions, "configFile">): Stack {
  const { environment = process.env, onEvent, signal } = options;
  let isUp = false;

  const start = async () => {
    requireProgram("docker", "--docker", environment);
    if (!existsSync("docker-compose.yml")) {
      throw new MillraceError(
        "CONFIG_UNREADABLE",
        `There is no docker-compose.yml in ${process.cwd()}, where --docker looks for it.`,
      );
    }
    mkdirSync(LOGS_FOLDER, { recursive: true });
    await requireEngine(environment, signal);
    writeSecrets();
    isUp = true;
    const startedAt = performance.now();
    const tell = (state: "running" | "done", detail: string) =>
      onEvent({
        kind: "step",
        step: "docker compose up",
        state,
        detail,
        elapsedMs: Math.round(performance.now() - startedAt),
      });
    tell("running", "");
    await docker(["compose", "up", "--build", "--detach", "--wait"], {
      environment,
      onLine: (line) => tell("running", line),
      signal,
    });
    tell("done", "");
  };
  const started = start();
  started.catch(() => undefined);

  return {
    started,
    stop: async () => {
      await started.catch(() => undefined);
      if (!isUp) return;
      isUp = false;
      await docker(["compose", "down"], { environment, onLine: () => undefined, signal: never });
    },
    // The engine goes on without us.
    kill: () => {
      if (isUp) spawn("docker", ["compose", "kill"], { env: environment, detached: true, stdio: "ignore" });
      isUp = false;
    },
  };
}

/** For what must go on to its end. */
const never = new AbortController().signal;

function docker(
  args: readonly string[],
  run: { environment: Environment; onLine: (line: string) => void; signal: AbortSignal },
): Promise<string> {
  return runTool({
    command: "docker",
    args,
    purpose: "Docker",
    cwd: process.cwd(),
    logFile: join(LOGS_FOLDER, "docker.log"),
    ...run,
  });
}

async function requireEngine(environment: Environment, signal: AbortSignal): Promise<void> {
  try {
    await docker(["version"], { environment, onLine: () => undefined, signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new MillraceError("TOOL_MISSING", `No Docker engine answers: ${asMillraceError(error).message}`, {
      cause: error,
    });
  }
}

/** Containers read the files as users of their own, so the files are readable by all, and the folder by its owner alone. */
function writeSecrets(): void {
  mkdirSync(SECRETS_FOLDER, { recursive: true, mode: 0o700 });
  chmodSync(SECRETS_FOLDER, 0o700);
  for (const name of secrets) {
    const file = join(SECRETS_FOLDER, name);
    if (!existsSync(file)) writeFileSync(file, `${randomBytes(32).toString("base64url")}\n`);
    chmodSync(file, 0o644);
  }
}
