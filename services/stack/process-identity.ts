import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MillraceError } from "../shared/errors.js";
import { isDiskFull } from "./failure-reason.js";

/** Which process a pid meant: pids are used again, but not with the same start time and command. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since the machine started. */
  readonly startTime: string;
  /** The command line, its arguments separated by NUL. */
  readonly command: string;
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Read from /proc: null where there is no such process, where it has ended and waits to be reaped, or without /proc. */
export function identityOf(pid: number): ProcessIdentity | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the program's name in brackets, may hold blanks and brackets itself.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, threads, startTime] = [fields[0], Number(fields[17]), fields[19]];
    // While other threads of it are still ending, its sockets are open.
    if (state === "Z" && threads <= 1) return null;
    return { pid, startTime, command: readFileSync(`/proc/${pid}/cmdline`, "utf8") };
  } catch {
    return null;
  }
}

/** Remembers a process of ours in a file, so that a later run knows it for a leftover. Throws DISK_FULL. */
export function rememberProcess(file: string, pid: number): void {
  const identity = identityOf(pid);
  if (identity === null) return;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, JSON.stringify(identity));
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    throw new MillraceError("DISK_FULL", `The disk that holds ${file} is full.`, { cause: error });
  }
}

/** Where that is not possible, a later run sees for itself that the process is gone. */
export function forgetProcess(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Its disk may be readable only by now.
  }
}

/** The process that the file remembers, where it still runs; its file goes where it does not. */
export function rememberedProcess(file: string): ProcessIdentity | null {
  let remembered: Partial<ProcessIdentity> | null;
  try {
    remembered = JSON.parse(readFileSync(file, "utf8")) as Partial<ProcessIdentity> | null;
  } catch {
    return null;
  }
  if (remembered?.pid === undefined) return null;
  const running = identityOf(remembered.pid);
  const isSame = running?.startTime === remembered.startTime && running?.command === remembered.command;
  if (running !== null && isSame) return running;
  forgetProcess(file);
  return null;
}

const LEFTOVER_STOP_LIMIT_MS = 10_000;

/**
 * Stops a leftover of an earlier run: SIGTERM, a bounded wait, SIGKILL. Resolves to whether there was one that could be
 * stopped: one of another user goes on.
 */
export async function stopLeftover(file: string, limitMs = LEFTOVER_STOP_LIMIT_MS): Promise<boolean> {
  const leftover = rememberedProcess(file);
  if (leftover === null) return false;
  const isThere = () => identityOf(leftover.pid)?.startTime === leftover.startTime;
  if (!signalled(leftover.pid, "SIGTERM")) return false;
  const deadline = Date.now() + limitMs;
  while (isThere() && Date.now() < deadline) await sleep(50);
  if (isThere()) signalled(leftover.pid, "SIGKILL");
  while (isThere()) await sleep(20);
  forgetProcess(file);
  return true;
}

/** Whether the process could be sent the signal: not where it has just ended, or is another user's. */
function signalled(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
