import { spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync, readdirSync, realpathSync, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { MillraceError } from "../shared/errors.js";
import type { Environment } from "./run-tool.js";

/** The program's absolute path, or null where the PATH does not have it. */
export function findProgram(name: string, environment: Environment): string | null {
  const folders = (environment["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => resolve(folder, name)).find(isExecutable) ?? null;
}

/** Throws TOOL_MISSING, which says what the program is for. */
export function requireProgram(name: string, purpose: string, environment: Environment): string {
  const program = findProgram(name, environment);
  if (program !== null) return program;
  throw new MillraceError("TOOL_MISSING", `${purpose} needs \`${name}\`, which is not on the PATH.`);
}

export interface Java {
  readonly program: string;
  /** The feature version: 17, 21, 25. */
  readonly version: number;
}

/**
 * The Javas of this machine, newest first: JAVA_HOME's, the PATH's, and those where Linux distributions put them.
 * A Java says its version in the file `release` of its folder; what has none, a version manager's script, is asked.
 */
export function findJavas(environment: Environment, jvmFolder = "/usr/lib/jvm"): Java[] {
  const onPath = findProgram("java", environment);
  const programs = [
    ...(environment["JAVA_HOME"] === undefined ? [] : [join(environment["JAVA_HOME"], "bin/java")]),
    ...(onPath === null ? [] : [onPath]),
    ...listFolder(jvmFolder).map((name) => join(jvmFolder, name, "bin/java")),
  ].filter(isExecutable);
  const found = new Map<string, Java>();
  for (const program of programs.map((path) => realpathSync(path))) {
    const version = releasedVersion(program) ?? toldVersion(program, environment);
    if (version !== null) found.set(program, { program, version });
  }
  return [...found.values()].toSorted((a, b) => b.version - a.version);
}

/** Throws TOOL_MISSING where no Java is as new as that. */
export function requireJava(version: number, purpose: string, environment: Environment): Java {
  const javas = findJavas(environment);
  const newest = javas.at(0);
  if (newest !== undefined && newest.version >= version) return newest;
  const found = newest === undefined ? "none is" : `only ${newest.version} is`;
  throw new MillraceError(
    "TOOL_MISSING",
    `${purpose} needs Java ${version} or newer; ${found} in JAVA_HOME, on the PATH or in /usr/lib/jvm.`,
  );
}

function releasedVersion(program: string): number | null {
  try {
    const release = readFileSync(join(program, "../../release"), "utf8");
    const match = /^JAVA_VERSION="(\d+)/m.exec(release);
    return match === null ? null : Number(match[1]);
  } catch {
    return null;
  }
}

/** `openjdk version "21.0.2" 2024-01-16` */
function toldVersion(program: string, environment: Environment): number | null {
  const { stderr } = spawnSync(program, ["-version"], {
    encoding: "utf8",
    env: environment,
    timeout: 10_000,
  });
  const match = /version "(\d+)/.exec(stderr);
  return match === null ? null : Number(match[1]);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    // A folder may be entered, which is the same right.
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
