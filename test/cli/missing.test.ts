import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MissingSamples } from "../../services/cli/missing-samples.js";
import { frameLine } from "./frame-lines.js";
import { runMillrace } from "./run-millrace.js";

const frame = (ms: number, metrics: readonly string[], more: object = {}) =>
  frameLine(ms / 1000, Object.fromEntries(metrics.map((metric) => [metric, 1])), { more });

/** 60 frames at 1 s, scraped some milliseconds early and late: `b` lacks one and two in a row, `c` each tenth, all the 50th. */
const lines = Array.from({ length: 60 }, (_, i) => i)
  .filter((i) => i !== 50)
  .map((i) => {
    const metrics = ["a", ...([12, 30, 31].includes(i) ? [] : ["b"]), ...(i % 10 === 5 ? [] : ["c"])];
    return frame(1000 * i + ((i * 7) % 5), metrics);
  });
const missing = (input: string, ...args: string[]) => runMillrace(["missing", "-i", "-", ...args], { input });
const jsonOf = async (input: string, ...args: string[]) => {
  const { stdout, stderr, exitCode } = await missing(input, "--json", ...args);
  assert.equal(exitCode, 0, stderr);
  return stdout
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as MissingSamples);
};

describe("millrace missing", () => {
  it("tells samples that are missing one by one, in runs, at a period, and with all others", async () => {
    const found = await jsonOf(lines.join("\n"));
    const told = found.map((one) => ({ ...one, series: one.series.split("{")[0] }));
    const each = { entity: '{job="api"}', intervalMs: 1000, expected: 60, inWholeFrames: 1 };
    assert.deepEqual(told, [
      { series: "a", ...each, missing: 1, isolated: 1, inRuns: 0, periodic: 0, periodMs: 0 },
      { series: "b", ...each, missing: 4, isolated: 2, inRuns: 2, periodic: 0, periodMs: 0 },
      { series: "c", ...each, missing: 7, isolated: 7, inRuns: 0, periodic: 6, periodMs: 10_000 },
    ]);
  });

  it("prints a table of the series that lack something, and a summary", async () => {
    const { stdout, stderr } = await missing(lines.join("\n"));
    const rows = stdout.trimEnd().split("\n");
    assert.match(
      rows[0],
      /^entity +series +every +expected +missing +share +isolated +in runs +periodic +whole frames$/,
    );
    assert.match(rows[3], /^\{job="api"\} +c\{\} +1.00 s +60 +7 +11.67 % +7 +0 +6, every 10 s +1$/);
    assert.match(stderr, /12 of 180 samples are missing, 6.67 %, of 3 of 3 series\n$/);
  });

  it("takes the interval that it is given, and leaves out what lacks nothing, but for --all", async () => {
    assert.deepEqual(await jsonOf(lines.join("\n"), "--interval", "30s"), []);
    const all = await jsonOf(lines.join("\n"), "--interval", "30s", "--all");
    assert.deepEqual(
      all.map(({ expected, missing: count }) => [expected, count]),
      [
        [3, 0],
        [3, 0],
        [3, 0],
      ],
    );
  });

  it("expects a series from its first sample on, and takes a stale marker for none", async () => {
    const input = [frame(0, ["a"]), frame(1000, ["a", "b"]), frame(2000, ["a", "b"]), frame(3000, ["b"])];
    input.push(frame(3000, ["a"], { stale: true }));
    const found = await jsonOf(input.join("\n"), "--all");
    assert.deepEqual(
      found.map(({ expected, missing: count }) => [expected, count]),
      [
        [4, 1],
        [3, 0],
      ],
    );
  });

  it("refuses an interval that is none, or one that makes too large a table", async () => {
    const noDuration = await missing(lines[0], "--interval", "soon");
    assert.deepEqual([noDuration.exitCode, noDuration.stdout], [2, ""]);
    assert.match(noDuration.stderr, /^USAGE_INVALID: "soon" in --interval is no duration/);
    const tooMany = await missing([frame(0, ["a"]), frame(1e12, ["a"])].join("\n"), "--interval", "1s");
    assert.match(tooMany.stderr, /USAGE_INVALID: .*give a longer --interval/);
  });
});
