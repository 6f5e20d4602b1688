import { readdirSync } from "node:fs";
import { join } from "node:path";

export interface TestFiles {
  readonly unit: readonly string[];
  /** Those that compare kernels with Python's libraries. */
  readonly oracle: readonly string[];
  /** Integration tests, then fault tests, which take longer. */
  readonly withServers: readonly string[];
}

/** Compiled test files, found by their sources: dist may hold what was compiled from a file that is gone. */
export function findTestFiles(patterns: readonly string[]): TestFiles {
  const sources = readdirSync("test", { recursive: true, encoding: "utf8" })
    .map((path) => join("test", path))
    .filter((path) => path.endsWith(".test.ts"))
    .filter((path) => patterns.length === 0 || patterns.some((pattern) => path.includes(pattern)))
    .toSorted();
  const of = (kind: RegExp) =>
    sources.filter((path) => kind.test(path)).map((path) => join("dist", path.replace(/\.ts$/, ".js")));
  const withServers = [...of(/\.integration\.test\.ts$/), ...of(/\.fault\.test\.ts$/)];
  return {
    unit: of(/(?<!\.integration|\.fault|\.oracle)\.test\.ts$/),
    oracle: of(/\.oracle\.test\.ts$/),
    withServers,
  };
}
