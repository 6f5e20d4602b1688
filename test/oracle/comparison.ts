import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import type { TestContext } from "node:test";

const DOCUMENT = "docs/numerics.md";
/** Smaller differences are nothing but rounding of the last bits. */
const LEAST_BOUND = 1e-15;

/** How near a kernel's results come to a reference library's, over all cases of one operation. */
export interface Comparison {
  /**
   * One case: as many results as expected, NaN where NaN is expected. The difference is relative to the larger of the
   * expected result and `scale`: the size of what the result was computed from, where that may cancel to almost nothing.
   */
  readonly compare: (
    actual: ArrayLike<number>,
    expected: ArrayLike<number>,
    where: string,
    scale?: number,
  ) => void;
  /** Checks the operation's row of docs/numerics.md, or writes it where MILLRACE_TEST_UPDATE is 1; tells it. */
  readonly conclude: (context: TestContext) => void;
}

/** `limit`: the largest relative difference that is allowed; 0 for results that must be equal. */
export function openComparison(operation: string, oracle: string, limit = 1e-9): Comparison {
  let largest = 0;
  let cases = 0;
  return {
    compare: (actual, expected, where, scale = 0) => {
      cases++;
      assert.equal(actual.length, expected.length, `${where}: so many results`);
      for (let i = 0; i < expected.length; i++) {
        const difference = relativeDifference(actual[i], expected[i], scale);
        if (!(difference <= limit))
          assert.fail(
            `${where}, result ${i}: ${actual[i]} is not ${oracle}'s ${expected[i]} (${difference})`,
          );
        largest = Math.max(largest, difference);
      }
    },
    conclude: (context) => {
      assert.ok(cases > 0, "no case was compared");
      const bound = largest === 0 ? 0 : Math.max(LEAST_BOUND, 10 ** Math.ceil(Math.log10(largest)));
      if (process.env["MILLRACE_TEST_UPDATE"] === "1") updateRow({ operation, oracle, bound, cases });
      const documented = readRows().find((row) => row.operation === operation && row.oracle === oracle);
      const hint = "`npm run docs` writes it";
      assert.ok(documented, `${DOCUMENT} has no row ${operation} | ${oracle}: ${hint}`);
      assert.equal(documented.cases, cases, `${DOCUMENT}, ${operation}: cases; ${hint}`);
      assert.ok(largest <= documented.bound, `${DOCUMENT}, ${operation}: ${largest} is more; ${hint}`);
      context.diagnostic(`${operation} | ${oracle} | ${largest.toExponential(1)} | ${cases}`);
    },
  };
}

function relativeDifference(actual: number, expected: number, scale: number): number {
  if (Object.is(actual, expected) || actual === expected) return 0;
  if (Number.isNaN(actual) && Number.isNaN(expected)) return 0;
  // Among denormals nothing is nearer than this.
  if (Math.abs(actual - expected) <= Number.MIN_VALUE) return 0;
  const size = Math.max(Math.abs(expected), scale);
  // Halves, since the difference of two large numbers may overflow.
  return Math.abs(actual / 2 - expected / 2) / (size / 2);
}

interface Row {
  readonly operation: string;
  readonly oracle: string;
  readonly bound: number;
  readonly cases: number;
}

const ROW = /^\| (.+?) +\| (.+?) +\| (exact|≤ (\S+)) +\| +([\d,]+) \|$/;

function readRows(): Row[] {
  return readFileSync(DOCUMENT, "utf8")
    .split("\n")
    .map((line) => ROW.exec(line))
    .filter((match) => match !== null)
    .map(([, operation, oracle, , bound, cases]) => ({
      operation,
      oracle,
      bound: (bound as string | undefined) === undefined ? 0 : Number(bound),
      cases: Number(cases.replaceAll(",", "")),
    }));
}

function updateRow(row: Row): void {
  const text = readFileSync(DOCUMENT, "utf8");
  const others = readRows().filter(
    ({ operation, oracle }) => operation !== row.operation || oracle !== row.oracle,
  );
  const rows = [...others, row].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  const cells = rows.map(({ operation, oracle, bound, cases }) => [
    operation,
    oracle,
    bound === 0 ? "exact" : `≤ ${bound.toExponential(0)}`,
    cases.toLocaleString("en"),
  ]);
  const table = [["operation", "equal to", "largest difference", "cases"], ...cells];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((cell) => cell[column].length)));
  const line = (cell: readonly string[]) =>
    `| ${cell.map((part, i) => (i === 3 ? part.padStart(widths[i]) : part.padEnd(widths[i]))).join(" | ")} |`;
  const ruler = `| ${widths.map((width, i) => (i === 3 ? `${"-".repeat(width - 1)}:` : "-".repeat(width))).join(" | ")} |`;
  const before = text.slice(0, text.indexOf("| operation"));
  writeFileSync(DOCUMENT, [before + line(table[0]), ruler, ...table.slice(1).map(line), ""].join("\n"));
}

function key({ operation, oracle }: Row): string {
  return `${operation} ${oracle}`;
}
