import { relative } from "node:path";
import { run } from "node:test";
import { inspect } from "node:util";
import { type Tally, seconds } from "./tally.js";

/** The longest that one file may take. */
const FILE_LIMIT_MS = 600_000;

interface FileResult {
  tests: number;
  ms: number;
  failures: string[];
  /** What tests tell of what they measured: their diagnostics. */
  measured: string[];
  output: string[];
}

/**
 * Runs test files, `concurrency` side by side, each in a process of its own, and adds them to the tally. Prints one line a file
 * as it ends, and all that a file printed where one of its tests fails.
 */
export async function runFiles(
  title: string,
  files: readonly string[],
  concurrency: number,
  tally: Tally,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  if (files.length === 0) return;
  const startedAt = performance.now();
  const before = { ...tally };
  const results = new Map<string, FileResult>();
  const resultOf = (file = "") => {
    let result = results.get(file);
    if (result === undefined)
      results.set(file, (result = { tests: 0, ms: 0, failures: [], measured: [], output: [] }));
    return result;
  };
  const show = (file: string) => {
    const { tests, ms, failures, measured, output } = resultOf(file);
    results.delete(file);
    const name = relative("dist", file).replace(/\.js$/, ".ts");
    if (failures.length === 0) print([`✔ ${name} (${tests}, ${seconds(ms)})`, ...measured].join("\n"));
    else print([`✘ ${name} (${failures.length} of ${tests} failed)`, ...failures, ...output].join("\n"));
  };
  // Results come file by file, in the order of the files, however they run.
  let current: string | undefined;

  const events = run({ files: [...files], concurrency, timeout: FILE_LIMIT_MS, signal });
  for await (const { type, data } of events as AsyncIterable<TestEvent>) {
    const result = resultOf(data.file);
    if (type === "test:stdout" || type === "test:stderr") result.output.push(data.message ?? "");
    if (type === "test:diagnostic" && data.nesting > 0) result.measured.push(`  ${data.message}`);
    if (type !== "test:pass" && type !== "test:fail") continue;
    if (current !== undefined && current !== data.file) show(current);
    current = data.file;
    const error = data.details?.error;
    const isSuite = data.details?.type === "suite";
    if (data.nesting === 0) result.ms += data.details?.duration_ms ?? 0;
    // A parent that fails because of what is in it is no failure of its own.
    if (type === "test:fail" && error?.failureType !== "subtestsFailed") {
      tally.failed++;
      result.tests++;
      result.failures.push(`  ✘ ${data.name}\n${inspect(error?.cause ?? error, { depth: 6 })}`);
    } else if (type === "test:pass" && !isSuite) {
      if (data.skip === undefined && data.todo === undefined) tally.passed++;
      else tally.skipped++;
      result.tests++;
    }
  }

  if (current !== undefined) show(current);
  signal.throwIfAborted();
  const passed = tally.passed - before.passed;
  const failed = tally.failed - before.failed;
  print(
    `${title}: ${passed} passed, ${failed} failed, ${files.length} files (${seconds(performance.now() - startedAt)})`,
  );
}

/** What node:test's events hold of what is needed here. */
interface TestEvent {
  type: string;
  data: {
    name?: string;
    file?: string;
    message?: string;
    nesting: number;
    skip?: string | boolean;
    todo?: string | boolean;
    details?: { type?: string; duration_ms?: number; error?: { failureType?: string; cause?: unknown } };
  };
}
