import { spawn } from "node:child_process";
import { once } from "node:events";
import { installPython } from "./oracle/environment.js";
import { findBenches } from "./runner/test-files.js";

/**
 * What `npm run bench:kernels` runs: the benchmarks of the kernels, one after the other, for each works alone on its core.
 * `npm run bench:kernels -- <part of a path>` runs only those that match.
 */
async function main(patterns: readonly string[]): Promise<number> {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stopping.abort());
  const { signal } = stopping;
  const files = findBenches(patterns);
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  if (files.length === 0) {
    print(`No benchmark's path contains ${patterns.join(" or ")}.`);
    return 1;
  }
  let failed = 0;
  try {
    await installPython(print, signal);
    print("operation | ours | theirs | ratio");
    for (const file of files) {
      const child = spawn(process.execPath, [file], { stdio: ["ignore", "inherit", "inherit"], signal });
      const [code] = (await once(child, "close")) as [number | null];
      if (code === 0) continue;
      failed++;
      print(`${file} failed.`);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    print("Interrupted.");
    return 1;
  }
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
