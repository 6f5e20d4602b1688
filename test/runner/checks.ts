import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runCommand } from "./run-command.js";
import { type Tally, seconds } from "./tally.js";

const bin = (name: string) => `node_modules/.bin/${name}`;

const commands = [
  { name: "lint", command: bin("eslint"), args: ["."] },
  { name: "format", command: bin("prettier"), args: ["--check", "--log-level=warn", "."] },
  {
    name: "import rules",
    command: bin("depcruise"),
    args: ["--config", ".dependency-cruiser.cjs", "--output-type", "err", "services", "test"],
  },
];

/** The hash of all sources when they last passed. */
const PASSED = join(".millrace", "checked-sources");
/** What is made of the sources, and git's own. */
const MADE = new Set(["node_modules", "dist", ".millrace", ".git"]);

/**
 * The checks of the whole source, side by side; what they print is shown where they fail. They look at nothing but files of the
 * project, so what has passed passes again until one of these changes.
 */
export async function checks(
  tally: Tally,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const sources = hashOfSources();
  if (lastPassed() === sources) {
    tally.passed += commands.length;
    print(`✔ ${commands.map(({ name }) => name).join(", ")} (no file has changed since they passed)`);
    return;
  }
  const passed = await Promise.all(
    commands.map(async ({ name, command, args }) => {
      const startedAt = performance.now();
      const { code, output } = await runCommand(command, args, signal);
      if (code === 0) tally.passed++;
      else tally.failed++;
      print(`${code === 0 ? "✔" : "✘"} ${name} (${seconds(performance.now() - startedAt)})`);
      if (code !== 0) print(output);
      return code === 0;
    }),
  );
  if (!passed.every(Boolean)) return;
  mkdirSync(dirname(PASSED), { recursive: true });
  writeFileSync(PASSED, sources);
}

function hashOfSources(): string {
  const hash = createHash("sha256");
  const add = (folder: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (folder !== "." || !MADE.has(entry.name)) add(path);
      } else if (entry.isFile()) hash.update(`${path}\n`).update(readFileSync(path)).update("\n");
    }
  };
  add(".");
  return hash.digest("hex");
}

function lastPassed(): string | null {
  try {
    return readFileSync(PASSED, "utf8");
  } catch {
    return null;
  }
}
