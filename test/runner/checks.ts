import { spawn } from "node:child_process";
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

/** The checks of the whole source, side by side; what they print is shown where they fail. */
export async function checks(
  tally: Tally,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    commands.map(async ({ name, command, args }) => {
      const startedAt = performance.now();
      const { code, output } = await run(command, args, signal);
      if (code === 0) tally.passed++;
      else tally.failed++;
      print(`${code === 0 ? "✔" : "✘"} ${name} (${seconds(performance.now() - startedAt)})`);
      if (code !== 0) print(output);
    }),
  );
}

function run(
  command: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], signal });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    }
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
}
