import { setMaxListeners } from "node:events";
import { installPython } from "./oracle/environment.js";
import { installPrometheus3 } from "./oracle/prometheus.js";
import { checks } from "./runner/checks.js";
import { runFiles } from "./runner/run-files.js";
import { removeAbandonedServers, withServers } from "./runner/servers.js";
import { findTestFiles } from "./runner/test-files.js";
import { type Tally, summaryLine } from "./runner/tally.js";

/** Of the machine that all must fit. Tests with servers wait most of their time. */
const CORES = 2;

/**
 * What `npm test` runs once the types are checked: lint, format and import rules; the unit tests, and the oracle tests with the
 * Python libraries that the kernels must equal; then, with real servers, the integration and fault tests.
 * `npm test -- <part of a path>` runs only the test files that match.
 */
async function main(patterns: readonly string[]): Promise<number> {
  const stopping = new AbortController();
  // Every test file and server listens to it.
  setMaxListeners(0, stopping.signal);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stopping.abort());
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  const files = findTestFiles(patterns);
  const isWhole = patterns.length === 0;
  if (files.unit.length + files.oracle.length + files.withServers.length === 0) {
    print(`No test file's path contains ${patterns.join(" or ")}.`);
    tally.failed++;
  }
  try {
    // Compiling was the first check: had it failed, this would not run.
    if (isWhole) tally.passed++;
    if (files.oracle.length > 0) await installPython(print, stopping.signal);
    const alone = [...files.oracle, ...files.unit];
    await Promise.all([
      ...(isWhole ? [checks(tally, print, stopping.signal)] : []),
      runFiles("unit and oracle tests", alone, CORES, tally, print, stopping.signal),
    ]);
    if (files.withServers.length > 0) {
      await removeAbandonedServers();
      // Building it may take longer than one test file may.
      if (files.withServers.some((file) => /kernels\/|backfill|remote-write\//.test(file)))
        await installPrometheus3(print, stopping.signal);
      await withServers(print, stopping.signal, () =>
        runFiles("integration and fault tests", files.withServers, 2 * CORES, tally, print, stopping.signal),
      );
    }
  } catch (error) {
    tally.failed++;
    print(stopping.signal.aborted ? "Interrupted." : String(error instanceof Error ? error.stack : error));
  }
  print(summaryLine(tally));
  return tally.failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
