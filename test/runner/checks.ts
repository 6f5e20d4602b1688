import { runCommand } from "./run-command.js";
import { type Tally, seconds } from "./tally.js";

const bin = (name: string) => `node_modules/.bin/${name}`;

const commands = [
  { name: "lint", command: bin("eslint"), args: ["."] },
  {
    name: "format",
    command: bin("prettier"),
    // By content: of files that are as they were, it knows the answer. (Lint asks for types of other files, too.)
    args: ["--check", "--log-level=warn", "--cache", "--cache-strategy=content", "."],
  },
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
      const { code, output } = await runCommand(command, args, signal);
      if (code === 0) tally.passed++;
      else tally.failed++;
      print(`${code === 0 ? "✔" : "✘"} ${name} (${seconds(performance.now() - startedAt)})`);
      if (code !== 0) print(output);
    }),
  );
}
