import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { StatusReport } from "../../services/cli/status-report.js";
import type { StackEvent } from "../../services/stack/stack-event.js";
import { until } from "../sink/until.js";

const main = fileURLToPath(new URL("../../services/cli/main.js", import.meta.url));

export type UpLine = StackEvent | ({ kind: "status" } & StatusReport) | { kind: "stopping" };

export interface UpProcess {
  readonly pid: number;
  /** What it has printed so far. */
  readonly lines: readonly UpLine[];
  readonly ended: Promise<{ exitCode: number | null; signal: NodeJS.Signals | null; stderr: string }>;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Resolves to the first line at or after `from` that is like that; fails with what was seen. */
  readonly line: (
    what: string,
    isLikeThat: (line: UpLine) => boolean,
    options?: { from?: number; limitMs?: number },
  ) => Promise<UpLine>;
  /** Until a status from now on says ready; fails with what was seen. */
  readonly ready: () => Promise<void>;
}

/** `millrace up --json` as a process of its own. */
export function startUp(
  configFile: string,
  options: { args?: string[]; cwd?: string; environment?: Record<string, string> } = {},
): UpProcess {
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("MILLRACE_")),
  );
  const args = [main, "up", "--json", ...(options.args ?? []), "--config", configFile];
  const child = spawn(process.execPath, args, {
    cwd: options.cwd,
    env: { ...environment, ...options.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: UpLine[] = [];
  let stderr = "";
  let hasEnded = false;
  createInterface({ input: child.stdout }).on("line", (text) => lines.push(JSON.parse(text) as UpLine));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<{ exitCode: number | null; signal: NodeJS.Signals | null; stderr: string }>(
    (resolve) =>
      child.once("close", (exitCode, signal) => {
        hasEnded = true;
        resolve({ exitCode, signal, stderr });
      }),
  );
  const line: UpProcess["line"] = async (what, isLikeThat, { from = 0, limitMs = 90_000 } = {}) => {
    const find = () => lines.slice(from).find(isLikeThat);
    const seen = () => [...lines.slice(-5).map((each) => JSON.stringify(each)), stderr].join("\n");
    try {
      await until(() => hasEnded || find() !== undefined, what, limitMs);
    } catch (error) {
      throw new Error(`${String(error)}\n${seen()}`, { cause: error });
    }
    const found = find();
    assert.ok(found, `ended without ${what}:\n${seen()}`);
    return found;
  };
  return {
    pid: child.pid!,
    lines,
    ended,
    kill: (signal) => child.kill(signal),
    line,
    ready: async () => {
      await line("a ready status", (each) => each.kind === "status" && each.ready, { from: lines.length });
    },
  };
}
