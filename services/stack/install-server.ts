import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { MillraceError, asMillraceError } from "../shared/errors.js";
import { isDiskFull } from "./failure-reason.js";
import { isRunning } from "./process-identity.js";
import { type Environment, runTool } from "./run-tool.js";
import { type ServerName, serverTitles } from "./server-name.js";

/** How one server is brought onto this machine. */
export interface Recipe {
  readonly server: ServerName;
  /** Another version is another installation. */
  readonly version: string;
  /** Free bytes that downloading and building take, the tools' caches included. */
  readonly bytes: number;
  /** Throws TOOL_MISSING before anything is done. */
  readonly requireTools: (environment: Environment) => void;
  /** Fills `folder`, which becomes the server's folder when this resolves. */
  readonly install: (context: InstallContext) => Promise<void>;
}

export interface InstallContext {
  readonly folder: string;
  readonly environment: Environment;
  /** Runs a tool with the log, progress and signal of this installation; in `folder` unless told otherwise. */
  readonly run: (
    command: string,
    args: readonly string[],
    options?: { cwd?: string; environment?: Environment },
  ) => Promise<string>;
}

export interface InstallOptions {
  /** The best first: the next is tried when one fails. None: the server is on the PATH. */
  readonly recipes: readonly Recipe[];
  /** The folder `servers` under stack.home. */
  readonly serversFolder: string;
  readonly logsFolder: string;
  readonly environment: Environment;
  /** What the installation is doing, a line at a time. */
  readonly onProgress: (detail: string) => void;
  readonly signal: AbortSignal;
  /** Free bytes of the disk that holds a folder. */
  readonly freeBytes?: (folder: string) => number;
}

const STAMP_FILE = "installed.json";

/** Throws TOOL_MISSING where the server is not there and none of its recipes has its tools. */
export function requireTools({ recipes, serversFolder, environment }: InstallOptions): void {
  if (recipes.length === 0 || recipes.some((recipe) => isInstalled(recipe, serversFolder))) return;
  const failures = recipes.flatMap((recipe) => {
    try {
      recipe.requireTools(environment);
      return [];
    } catch (error) {
      return [error];
    }
  });
  if (failures.length === recipes.length) throw failures.at(-1);
}

/**
 * Installs the server where it is not there yet, and resolves to whether it did so. Rejects with TOOL_MISSING, DISK_FULL,
 * SERVER_BUILD_FAILED, or the signal's reason.
 */
export async function installServer(options: InstallOptions): Promise<boolean> {
  const { recipes, serversFolder, signal, onProgress } = options;
  if (recipes.length === 0 || recipes.some((recipe) => isInstalled(recipe, serversFolder))) return false;
  const failures: string[] = [];
  for (const [i, recipe] of recipes.entries()) {
    try {
      await installBy(recipe, options);
      return true;
    } catch (error) {
      if (signal.aborted) throw error;
      const { code, message } = asMillraceError(error);
      failures.push(message);
      const isLast = i === recipes.length - 1;
      // A tool of the last is only missed because something else failed.
      if (isLast && code === "TOOL_MISSING")
        throw new MillraceError(code, failures.join(" "), { cause: error });
      if (isLast || (code !== "SERVER_BUILD_FAILED" && code !== "TOOL_MISSING")) throw error;
      onProgress(`${message} Trying ${recipes[i + 1].version}.`);
    }
  }
  return false;
}

function isInstalled({ server, version }: Recipe, serversFolder: string): boolean {
  return installedVersion(server, serversFolder) === version;
}

/** The version that lies complete in the folder `servers`, or null. */
export function installedVersion(server: ServerName, serversFolder: string): string | null {
  try {
    const stamp = readFileSync(join(serversFolder, server, STAMP_FILE), "utf8");
    return (JSON.parse(stamp) as { version: string }).version;
  } catch {
    return null;
  }
}

/**
 * Installs into a temporary folder, which is renamed when it is complete: a run that is cut short leaves nothing that
 * looks finished, and the tools' own caches let the next one go on.
 */
async function installBy(recipe: Recipe, options: InstallOptions): Promise<void> {
  const { server, version } = recipe;
  const { serversFolder, logsFolder, signal } = options;
  const title = serverTitles[server];
  recipe.requireTools(options.environment);
  const logFile = join(logsFolder, `acquire-${server}.log`);
  const folder = resolve(serversFolder, `${server}.tmp-${process.pid}`);
  try {
    // What is made of stack.home is for nobody else's eyes.
    mkdirSync(serversFolder, { recursive: true, mode: 0o700 });
    mkdirSync(logsFolder, { recursive: true, mode: 0o700 });
    removeAbandoned(server, serversFolder);
    requireSpace(recipe, options);
    mkdirSync(folder);
    await recipe.install({
      folder,
      environment: options.environment,
      run: (command, args, { cwd = folder, environment = options.environment } = {}) =>
        runTool({
          command,
          args,
          purpose: title,
          cwd,
          environment,
          logFile,
          onLine: options.onProgress,
          signal,
        }),
    });
    writeFileSync(join(folder, STAMP_FILE), `${JSON.stringify({ server, version })}\n`);
    // Another run may have been quicker, and use it already.
    if (!isInstalled(recipe, serversFolder)) {
      const installed = join(serversFolder, server);
      rmSync(installed, { recursive: true, force: true });
      renameSync(folder, installed);
    }
  } catch (error) {
    if (signal.aborted || error instanceof MillraceError) throw error;
    if (isDiskFull(error)) {
      throw new MillraceError("DISK_FULL", `${title}: the disk that holds ${serversFolder} is full.`, {
        cause: error,
      });
    }
    const { message } = asMillraceError(error);
    throw new MillraceError("SERVER_BUILD_FAILED", `${title}: ${message} (log: ${logFile}).`, {
      cause: error,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Temporary folders of runs that were killed; those of another run that is at work stay. */
function removeAbandoned(server: ServerName, serversFolder: string): void {
  for (const name of readdirSync(serversFolder)) {
    const match = /^(.+)\.tmp-(\d+)$/.exec(name);
    if (match?.[1] !== server) continue;
    const pid = Number(match[2]);
    if (pid === process.pid || !isRunning(pid))
      rmSync(join(serversFolder, name), { recursive: true, force: true });
  }
}

/** The servers go to one disk, the tools' caches to that of the home folder: often the same. */
function requireSpace({ server, bytes }: Recipe, options: InstallOptions): void {
  const { serversFolder, environment, freeBytes = freeBytesOf } = options;
  for (const folder of [serversFolder, environment["HOME"] ?? homedir()]) {
    const available = freeBytes(folder);
    if (available >= bytes) continue;
    throw new MillraceError(
      "DISK_FULL",
      `${serverTitles[server]} needs ${megabytes(bytes)} MB on the disk that holds ${folder}; ${megabytes(available)} MB are free.`,
    );
  }
}

/** Of a folder that does not exist, too: users without one have a home folder all the same. */
function freeBytesOf(folder: string): number {
  if (!existsSync(folder)) return freeBytesOf(dirname(folder));
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1_000_000);
}
