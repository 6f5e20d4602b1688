import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";
import { stripVTControlCharacters } from "node:util";
import { MillraceError } from "../shared/errors.js";
import { isDiskFull, isToolError, saysDiskFull } from "./failure-reason.js";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ToolRun {
  readonly command: string;
  readonly args: readonly string[];
  /** What the run is for, as the subject of the error's sentence: `InfluxDB`. */
  readonly purpose: string;
  readonly cwd: string;
  readonly environment: Environment;
  /** Everything that the tool prints is appended here. */
  readonly logFile: string;
  /** Each line that the tool prints. */
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal;
}

/** How long a tool may take to end once it was asked to. */
const TOOL_STOP_LIMIT_MS = 5_000;

/**
 * Runs a tool to its end; resolves to what it printed on standard output. Rejects with SERVER_BUILD_FAILED, which names
 * the log, with DISK_FULL, or with the signal's reason once the tool and all its children are gone.
 */
export async function runTool(run: ToolRun): Promise<string> {
  const { command, args, purpose, logFile, signal } = run;
  signal.throwIfAborted();
  const log = createWriteStream(logFile, { flags: "a" });
  let fullDisk: string | undefined;
  // A log that cannot be written ends nothing, but a full disk explains what does.
  log.on("error", (error) => {
    if (isDiskFull(error)) fullDisk ??= error.message;
  });
  log.write(`$ ${[command, ...args].join(" ")}\n`);
  const endLog = async () => {
    log.end();
    await finished(log).catch(() => undefined);
  };
  let child: ReturnType<typeof spawnTool>;
  try {
    child = spawnTool(run);
  } catch (error) {
    await endLog();
    throw cannotBeRun(run, error);
  }
  const outputs = [child.stdout, child.stderr];
  let killTimer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    killGroup(child.pid, "SIGTERM");
    killTimer = setTimeout(() => {
      killGroup(child.pid, "SIGKILL");
      // A daemon that has left the group may hold on to them for good.
      for (const stream of outputs) stream.destroy();
    }, TOOL_STOP_LIMIT_MS);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  const onExit = () => killGroup(child.pid, "SIGKILL");
  process.once("exit", onExit);

  const output: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  let lastLine = "";
  let errorLine: string | undefined;
  const onLine = (coloured: string) => {
    const line = stripVTControlCharacters(coloured).trim();
    if (line === "") return;
    lastLine = line;
    // The first: those that follow come of it, or tell where to read more.
    if (isToolError(line)) errorLine ??= line;
    if (saysDiskFull(line)) fullDisk ??= line;
    run.onLine(line);
  };
  const allRead = outputs.map((stream) => {
    stream.pipe(log, { end: false });
    return once(createInterface({ input: stream }).on("line", onLine), "close");
  });

  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    signal.throwIfAborted();
    await Promise.all(allRead);
    if (code === 0) return Buffer.concat(output).toString();
    // Only then is it known whether there was space for all of it.
    await endLog();
    if (fullDisk !== undefined) throw new MillraceError("DISK_FULL", `${purpose}: ${fullDisk}.`);
    throw new MillraceError(
      "SERVER_BUILD_FAILED",
      `${purpose}: \`${[command, ...args.slice(0, 1)].join(" ")}\` ended with ${code ?? "a signal"}: ${errorLine ?? lastLine} (log: ${logFile}).`,
    );
  } catch (error) {
    if (error instanceof MillraceError || signal.aborted) throw error;
    throw cannotBeRun(run, error);
  } finally {
    clearTimeout(killTimer);
    // A child that closed its output may have outlived the tool.
    if (signal.aborted) killGroup(child.pid, "SIGKILL");
    signal.removeEventListener("abort", onAbort);
    process.off("exit", onExit);
    await endLog();
  }
}

function spawnTool({ command, args, cwd, environment }: ToolRun) {
  return spawn(command, args, {
    cwd,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own: Ctrl-C reaches it through the signal only, and its children can be ended with it.
    detached: true,
  });
}

function cannotBeRun({ purpose, command, logFile }: ToolRun, cause: unknown): MillraceError {
  return new MillraceError(
    "SERVER_BUILD_FAILED",
    `${purpose}: \`${command}\` cannot be run (log: ${logFile}).`,
    { cause },
  );
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It is gone already.
  }
}
