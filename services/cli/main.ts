#!/usr/bin/env node
import { CommanderError } from "commander";
import { MillraceError, errorLine, exitCodeOf, exitCodes } from "../shared/errors.js";
import { createProgram } from "./program.js";

/** The `millrace` command: runs one, and sets the process's exit code. */
async function main(): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const program = createProgram(async (command) => {
    exitCode = await command();
  });
  try {
    await program.parseAsync();
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return exitCodes.ok;
    // No command: the help has been shown.
    if (thrown instanceof CommanderError && thrown.code === "commander.help") return exitCodes.usage;
    const error = thrown instanceof CommanderError ? usageError(thrown) : thrown;
    process.stderr.write(`${errorLine(error)}\n`);
    return exitCodeOf(error);
  }
}

function usageError({ message }: CommanderError): MillraceError {
  const line = message
    .replace(/^error: /, "")
    .replaceAll(/\s+/g, " ")
    .trim();
  return new MillraceError("USAGE_INVALID", /[.?)]$/.test(line) ? line : `${line}.`);
}

process.exitCode = await main();
