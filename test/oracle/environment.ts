import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { runCommand } from "../runner/run-command.js";
import { seconds } from "../runner/tally.js";

const REQUIREMENTS = "test/oracle/requirements.txt";

/** The Python environment of these requirements; others have another folder. */
export function pythonFolder(): string {
  const hash = createHash("sha256").update(readFileSync(REQUIREMENTS)).digest("hex");
  return resolve(".millrace", `python-${hash.slice(0, 8)}`);
}

/**
 * Makes the Python environment with the reference libraries, where it is not there yet: Python's own venv and pip. Rejects
 * with what to do.
 */
export async function installPython(print: (line: string) => void, signal: AbortSignal): Promise<void> {
  const folder = pythonFolder();
  const stamp = join(folder, "installed");
  if (existsSync(stamp)) return;
  const startedAt = performance.now();
  rmSync(folder, { recursive: true, force: true });
  await run("python3", ["-m", "venv", folder], signal);
  const pip = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-compile"];
  await run(join(folder, "bin/python"), [...pip, "--only-binary=:all:", "-r", REQUIREMENTS], signal);
  writeFileSync(stamp, "");
  print(`✔ Python environment (${seconds(performance.now() - startedAt)})`);
}

async function run(command: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const { code, output } = await runCommand(command, args, signal);
  if (code === 0) return;
  throw new Error(
    `${command} ${args.join(" ")} failed. The oracle tests need Python 3.11 or newer with venv and pip ` +
      `(Debian: apt install python3-venv).\n${output.trim()}`,
  );
}
