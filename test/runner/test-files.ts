import { readdirSync } from "node:fs";
import { join } from "node:path";

export interface TestFiles {
  readonly unit: readonly string[];
  /** Those that compare kernels with Python's libraries. */
  readonly oracle: readonly string[];
  /** Fault tests, which take long, then integration tests: so nobody waits for a long one in the end. */
  readonly withServers: readonly string[];
}

/** Compiled test files. */
export function findTestFiles(patterns: readonly string[]): TestFiles {
  const sources = findSources("test", ".test.ts", patterns);
  const of = (kind: RegExp) => compiled(sources.filter((path) => kind.test(path)));
  const withServers = [...of(/\.fault\.test\.ts$/), ...of(/\.integration\.test\.ts$/)];
  return {
    unit: of(/(?<!\.integration|\.fault|\.oracle)\.test\.ts$/),
    oracle: of(/\.oracle\.test\.ts$/),
    withServers,
  };
}

/** Compiled benchmarks of the kernels. */
export function findBenches(patterns: readonly string[]): string[] {
  return compiled(findSources("test/kernels", ".bench.ts", patterns));
}

/** By their sources: dist may hold what was compiled from a file that is gone. */
function findSources(folder: string, ending: string, patterns: readonly string[]): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => join(folder, path))
    .filter((path) => path.endsWith(ending))
    .filter((path) => patterns.length === 0 || patterns.some((pattern) => path.includes(pattern)))
    .toSorted();
}

function compiled(sources: readonly string[]): string[] {
  return sources.map((path) => join("dist", path.replace(/\.ts$/, ".js")));
}
