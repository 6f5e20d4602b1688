import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openChoice } from "../../services/cli/explain-choice.js";
import { type Point, openPoints } from "../../services/cli/explain-points.js";
import { featurePlan } from "../../services/processor/feature-plan.js";
import { parseConfig } from "../../services/shared/config.js";
import { type RawFrame, flagBits } from "../../services/shared/frame.js";
import { fold, run } from "../processor/emitted-rows.js";
import { LATENESS_TICKS } from "../processor/made-input.js";
import { rowKey } from "../processor/naive-features.js";
import { seededFrames } from "../processor/seeded-frames.js";
import { START_MS, frameLine, tenSecondFeatures } from "./frame-lines.js";
import { runMillrace } from "./run-millrace.js";

const forest = "test/shared/fixtures/fitted/forest.json";

const features = {
  rolling_windows: ["10s", "30s"],
  aggregation_functions: ["mean", "percentile", "count"],
  percentiles: [50],
  rate_window: "10s",
  slope_windows: ["20s"],
  momentum: ["4s"],
  momentum_tolerance: "2s",
  zscore_window: "25s",
  page_hinkley: { epoch: "12s", fewest_samples: 3, threshold: 1 },
  statistics: { window: "15s" },
  frequency: { window: "10s", interval: "2s" },
  combined_rates: { throughput: { sum: "requests_total" } },
};
const gaps = { method: "linear_interpolation", max_gap_minutes: 0.25 };

function transformWith(cleaning: object, imputation: object) {
  return {
    transform: {
      cleaning: { outlier_window: "15s", ...cleaning },
      imputation,
      feature_engineering: features,
      scaling: { fits_file: "test/shared/fixtures/fitted/fits.json" },
      lateness: "20s",
    },
  };
}

const transforms: Readonly<Record<string, ReturnType<typeof transformWith>>> = {
  plain: transformWith({ outlier_detection: "none" }, { method: "none" }),
  flagging: transformWith({ outlier_detection: "iqr" }, { method: "none" }),
  "removing and filling": transformWith(
    { outlier_detection: "iqr", outlier_action: "remove" },
    { ...gaps, interval: "1s" },
  ),
  "clipping and filling": transformWith(
    { outlier_detection: "robust_zscore", outlier_action: "clip" },
    { ...gaps, interval: "auto" },
  ),
  "flagging by a forest fitted elsewhere": transformWith(
    {
      outlier_detection: "isolation_forest",
      isolation_forests: { imported: { match: '{__name__=~"temperature|odd"}', file: forest } },
    },
    { method: "none" },
  ),
  "removing by a forest": transformWith(
    { outlier_detection: "isolation_forest", outlier_action: "remove" },
    { ...gaps, interval: "1s" },
  ),
};

const selectors = [
  'temperature{instance="10.0.0.0:9100"}',
  'requests_total{instance="10.0.0.1:9100"}',
  'odd{instance="10.0.0.0:9100"}',
  'throughput{instance="10.0.0.1:9100"}',
];

function lateFrames(count: number): RawFrame[] {
  const frames: RawFrame[] = [];
  const seeded = { seed: 5, startMs: START_MS, entities: 2, lateShare: 0.2, delayTicksMax: LATENESS_TICKS };
  for (const some of seededFrames(seeded)) {
    frames.push(...some);
    if (frames.length > count) break;
  }
  return frames;
}

function explained(transform: object, selector: string, frames: readonly RawFrame[]) {
  const config = parseConfig(JSON.stringify(transform), "test.yaml");
  const choice = openChoice(selector, undefined);
  const { add, points } = openPoints(config, choice, null);
  frames.forEach((frame, i) => add(frame, i));
  return { chosen: choice.theOne("the frames"), points, columns: featurePlan(config).columns };
}

/** Holds an explanation to what the row itself says. */
function checkPoint({ row, entry }: Point, columns: readonly string[]): void {
  assert.ok(row !== null && entry !== null);
  const has = (bit: number) => (row.flags & bit) !== 0;
  assert.equal(entry.outlier?.isOutlier ?? false, has(flagBits.outlier));
  assert.equal(entry.gap?.isFilled ?? false, has(flagBits.imputed));
  if (entry.gap?.isFilled) assert.ok(entry.gap.before !== null && entry.gap.after !== null);
  if (entry.outlier !== null && !Number.isNaN(entry.outlier.fences[0])) {
    const [low, high] = entry.outlier.fences;
    const value = entry.judged!.value;
    // A value on a fence of a score is as far as the score's rounding says.
    if (entry.outlier.isOutlier) assert.ok(value <= low || value >= high);
    else assert.ok(value >= low && value <= high);
  }
  columns.forEach((column, k) => {
    const span = entry.spans[k];
    const value = row.features[k];
    if (column.startsWith("count_")) assert.equal(span!.samples, value, column);
    else if (!Number.isNaN(value)) assert.ok(span !== null && span.samples > 0, column);
    if (span === null || span.samples === 0) return;
    assert.ok(
      span.firstMs > span.afterMs && span.lastMs <= span.toMs && span.filledIn <= span.samples,
      column,
    );
  });
}

describe("the explanation of a series", () => {
  const frames = lateFrames(300);
  const inOrder = frames.toSorted((a, b) => a.timestamp - b.timestamp);
  for (const [name, transform] of Object.entries(transforms)) {
    for (const selector of selectors) {
      it(`is of the rows that are emitted, and agrees with them: ${name}, ${selector}`, async () => {
        const { chosen, points, columns } = explained(transform, selector, frames);
        const plan = featurePlan(parseConfig(JSON.stringify(transform), "test.yaml"));
        const rows = fold((await run(frames, { plan, batches: [1] })).emitted);
        const prefix = rowKey(chosen.entity.key, chosen.series.key, START_MS).replace(String(START_MS), "");
        const wanted = [...rows.keys()].filter((key) => key.startsWith(prefix));
        assert.ok(wanted.length > 100);
        const withRow = [...points.values()].filter(({ row }) => row !== null && !row.isRetracted);
        assert.equal(withRow.length, wanted.length);
        for (const point of withRow) {
          const row = rows.get(rowKey(chosen.entity.key, chosen.series.key, point.timestamp))!;
          assert.deepEqual(
            [point.row!.line, point.row!.value, point.row!.flags, [...point.row!.features]],
            [row.revision, row.value, row.flags, row.features],
          );
          checkPoint(point, columns);
        }
      });

      it(`is the same whatever the order of arrival: ${name}, ${selector}`, () => {
        const late = explained(transform, selector, frames).points;
        const timely = explained(transform, selector, inOrder).points;
        for (const [timestamp, { row, entry }] of timely) {
          if (row === null || row.isRetracted) continue;
          assert.deepEqual(late.get(timestamp)?.entry, entry, String(timestamp - START_MS));
        }
      });
    }
  }
});

interface JsonLine {
  timestamp: number;
  readings: { line: number; outcomes: string[]; stale: boolean; broken: string[] }[];
  row: { line: number; retracted: boolean; value: number; flags: string[] } | null;
  features: Record<string, { value: number | null; from: Record<string, number> | null }> | null;
  [step: string]: unknown;
}

describe("millrace explain", () => {
  let folder: string;
  const path = (name: string) => join(folder, name);
  const write = (name: string, text: string) => {
    writeFileSync(path(name), text);
    return path(name);
  };
  const configOf = (name: string, cleaning: object, rolling: object = {}) =>
    write(
      `${name}.yaml`,
      JSON.stringify({
        transform: {
          cleaning: { outlier_window: "60s", ...cleaning },
          imputation: { interval: "1s", max_gap_minutes: 0.25 },
          feature_engineering: { ...tenSecondFeatures, ...rolling },
          lateness: "20s",
        },
      }),
    );
  const frame = (seconds: number, metrics: Record<string, unknown>, more: object = {}) =>
    frameLine(seconds, metrics, { more });
  const explain = (config: string, input: string, ...args: string[]) =>
    runMillrace(["-c", config, "explain", ...args, "--input", "-"], { input });
  const jsonOf = async (config: string, input: string, ...args: string[]) => {
    const { stdout, stderr, exitCode } = await explain(config, input, ...args, "--json");
    assert.equal(exitCode, 0, stderr);
    return stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as JsonLine);
  };
  /** The steps of one block of text, without its features. */
  const stepsAt = async (config: string, input: string, ...args: string[]) => {
    const { stdout, stderr, exitCode } = await explain(config, input, ...args);
    assert.equal(exitCode, 0, stderr);
    return stdout.split("\n").slice(3, -1);
  };

  let strict: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "millrace-explain-"));
    strict = configOf("strict", { outlier_detection: "iqr", outlier_action: "remove" });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const usual = Array.from({ length: 12 }, (_, i) =>
    frame(i, { cpu_percent: 3 + (i % 2), hits_total: 10 * i }),
  );
  const lines = [
    ...usual,
    frame(12, { cpu_percent: 90, hits_total: 120 }),
    frame(13, { cpu_percent: 190, hits_total: 5 }),
    frame(14, { cpu_percent: 4, hits_total: 10 }),
  ].join("\n");

  it("tells of an outlier that was removed, and filled in between its neighbours", async () => {
    assert.deepEqual(await stepsAt(strict, lines, "cpu_percent", "--at", "2025-10-09T08:53:32Z"), [
      "2025-10-09T08:53:32.000Z  gauge",
      "  read       90, line 13",
      "  rules      broke none",
      "  judged by  its value, 90",
      "  outlier    yes: iqr among the 12 others of (08:52:32, 08:53:32], fences 1.5 … 5.5; removed",
      "  filled in  4, by linear_interpolation between 08:53:31 4 and 08:53:34 4",
      "  seen as    4",
      "  row        4, imputed, outlier, by line 15",
      "  FEATURE   VALUE  WINDOW                SAMPLES  FILLED IN  FIRST     LAST",
      "  mean_10s    3.6  (08:53:22, 08:53:32]       10          1  08:53:23  08:53:32",
      "  rate          —  —",
    ]);
  });

  it("tells which rule a value broke, and what that means", async () => {
    const at = ["cpu_percent", "--at", String(START_MS + 13_000)];
    const [, read, rules, judged, filled] = await stepsAt(strict, lines, ...at);
    assert.equal(read, "  read       190, line 14");
    assert.equal(rules, "  rules      broke range.cpu_percent: excluded from every window (strict)");
    assert.equal(judged, "  judged by  nothing");
    assert.equal(filled, "  filled in  4, by linear_interpolation between 08:53:31 4 and 08:53:34 4");

    const lenient = configOf("lenient", { outlier_action: "clip", validation_rules: "lenient" });
    const steps = await stepsAt(lenient, lines, ...at);
    assert.equal(steps[2], "  rules      broke range.cpu_percent: not excluded (lenient)");
    assert.match(steps[4], /^ {2}outlier {4}yes: iqr among the 13 others of .*; clipped to 5\.5$/);
    assert.equal(steps[5], "  seen as    5.5");
    assert.equal(steps[6], "  row        5.5, invalid, outlier, by line 14");
  });

  it("tells of a counter's rate, and of the samples that it is of", async () => {
    const steps = await stepsAt(strict, lines, "hits_total", "--at", "2025-10-09T08:53:22.000Z");
    assert.equal(steps[1], "  read       20, line 3");
    assert.equal(
      steps[3],
      "  judged by  its rate, 2 a second, of 3 samples: 08:53:20 0, 08:53:21 10, 08:53:22 20",
    );
    assert.equal(
      steps.at(-1),
      "  rate          2  (08:53:12, 08:53:22]        3          0  08:53:20  08:53:22",
    );
  });

  it("tells of the score of a forest that was fitted elsewhere", async () => {
    const config = configOf("imported", {
      outlier_detection: "isolation_forest",
      isolation_forests: { load: { match: "cpu_percent", file: forest } },
    });
    const at = ["cpu_percent", "--at", "2025-10-09T08:53:32Z"];
    const steps = await stepsAt(config, lines, ...at);
    const [, score, limit] =
      /^ {2}outlier {4}yes: isolation_forest load, fitted elsewhere, score (0\.\d+), outliers above (0\.\d+); flagged, kept$/.exec(
        steps[4],
      ) ?? assert.fail(steps[4]);
    assert.ok(Number(score) > Number(limit));
    assert.equal(
      steps.find((line) => line.includes("iforest_score")),
      `  iforest_score  ${score}  (08:53:31.999, 08:53:32]        1          0  08:53:32  08:53:32`,
    );
    const [{ outlier }] = await jsonOf(config, lines, ...at);
    const told = outlier as Record<string, unknown>;
    assert.deepEqual([told["fittedElsewhere"], told["against"], told["found"]], ["load", null, true]);
  });

  it("tells of drifts and frequencies which samples they are of", async () => {
    const config = configOf(
      "drifts",
      { outlier_detection: "none" },
      {
        page_hinkley: { epoch: "4s", fewest_samples: 3 },
        frequency: { window: "8s", interval: "2s", features: ["dominant_frequency"] },
      },
    );
    // 11 s is no multiple of 2 s: the newest value that counts is that of 10 s.
    const steps = await stepsAt(config, lines, "cpu_percent", "--at", "2025-10-09T08:53:31Z");
    const spans = steps.flatMap((line) => /^ {2}(drift|dominant).*?(\(.*)$/.exec(line)?.[2] ?? []);
    assert.deepEqual(spans, [
      "(08:53:24, 08:53:31]            7          0  08:53:25  08:53:31",
      "(08:53:24, 08:53:31]            7          0  08:53:25  08:53:31",
      "(08:53:20.999, 08:53:30]        4          0  08:53:24  08:53:30",
    ]);
  });

  it("prints a header, and each time in order", async () => {
    const { stdout } = await explain(strict, lines, 'cpu_percent{job="api"}');
    assert.ok(stdout.startsWith('cpu_percent{} of {job="api"}; times: 15, outliers: 1, filled in: 2\n'));
    const times = [...stdout.matchAll(/^(2025\S+)/gm)].map(([, time]) => Date.parse(time));
    assert.deepEqual(
      times,
      Array.from({ length: 15 }, (_, i) => START_MS + i * 1000),
    );
  });

  it("prints JSON lines with the same steps", async () => {
    const points = await jsonOf(strict, lines, "cpu_percent");
    assert.equal(points.length, 15);
    const { outlier, filled, seen, row, features: columns } = points[12];
    const span = { after: START_MS - 48_000, to: START_MS + 12_000, samples: 12, filledIn: 0 };
    const against = { ...span, first: START_MS, last: START_MS + 11_000 };
    assert.deepEqual(outlier, {
      found: true,
      method: "iqr",
      against,
      fences: [1.5, 5.5],
      action: "remove",
      left: null,
    });
    const value = 4;
    const ends = {
      before: { timestamp: START_MS + 11_000, value },
      after: { timestamp: START_MS + 14_000, value },
    };
    assert.deepEqual(filled, { done: true, method: "linear_interpolation", value, ...ends });
    assert.deepEqual([seen, row?.flags], [4, ["imputed", "outlier"]]);
    assert.deepEqual(columns?.["mean_10s"].from?.["samples"], 10);
    assert.deepEqual(columns["rate"], { value: null, from: null });
  });

  it("tells what became of samples that came late, twice, or too late, and of stale markers", async () => {
    const input = [
      frame(0, { cpu: 1 }),
      frame(3, { cpu: 4 }),
      frame(1.5, { cpu: 2 }),
      frame(3, { cpu: 4 }),
      frame(3, { cpu: 3 }),
      frame(3, { cpu: 5 }),
      frame(4, { cpu: 0 }, { stale: true }),
      frame(200, { cpu: 6 }),
      frame(170, { cpu: 6 }),
      frame(1, { cpu: 6 }),
    ].join("\n");
    const config = configOf("late", { outlier_detection: "none" });
    const points = await jsonOf(config, input, "cpu");
    const told = points.map(({ timestamp, readings, row }) => [
      (timestamp - START_MS) / 1000,
      readings.flatMap(({ line, outcomes, stale }) => [line, ...outcomes, ...(stale ? ["stale"] : [])]),
      row === null ? null : row.retracted ? "gone" : row.value,
    ]);
    assert.deepEqual(told, [
      [0, [1], 1],
      [1, [10, "too_late"], "gone"],
      [1.5, [3, "inserted"], 2],
      [2, [], "gone"],
      [3, [2, 4, "duplicate", 5, "superseded", 6, "replaced"], 5],
      [4, [7, "stale"], null],
      [170, [9, "inserted", "needs_replay"], 6],
      [200, [8], 6],
    ]);
    const text = (await explain(config, input, "cpu")).stdout;
    assert.match(text, /read {7}4, line 4; said again what was there\n/);
    assert.match(text, /row {8}gone: it had been filled in, line 3 took it back\n/);
    assert.match(text, /read {7}a stale marker, which is no sample, line 7\n/);
  });

  it("tells of a row that is left out, since too much of its time is missing", async () => {
    const all = { a: 1, b: 1, c: 1 };
    const input = [...Array.from({ length: 8 }, (_, i) => frame(i, all)), frame(8, { a: 2 })].join("\n");
    const cleaning = { outlier_detection: "none", missing_value_threshold: 0.5, incomplete_rows: "drop" };
    const text = (await explain(configOf("dropped", cleaning), input, "a")).stdout;
    assert.match(text, /row {8}none: too many series of its entity have no sample at this time\n/);
    const points = await jsonOf(configOf("dropped", cleaning), input, "a");
    assert.deepEqual(
      points.map(({ row }) => row?.value ?? null),
      [1, 1, 1, 1, 1, 1, 1, 1, null],
    );
  });

  it("tells of a text that has no number, and of another type than before", async () => {
    const input = [frame(0, { cpu: 1 }), frame(1, { cpu: "12 apples" }), frame(2, { cpu: true })].join("\n");
    const { stdout } = await explain(strict, input, "cpu");
    const read = [...stdout.matchAll(/^ {2}read +(.*)$/gm)].map(([, text]) => text);
    assert.deepEqual(read, [
      "1, line 1",
      "—, line 2; a text that has no number (unit); gauge as text after gauge as number",
      "1, line 3; gauge as boolean after gauge as text",
    ]);
    assert.match(stdout, /row {8}1, imputed, not_finite, conversion_error, by line 3\n/);
  });

  it("explains a series that is computed of others", async () => {
    const config = configOf("combined", {}, { combined_rates: { hits_rate: { sum: "hits_total" } } });
    const steps = await stepsAt(config, lines, "hits_rate", "--at", "2025-10-09T08:53:22Z");
    assert.deepEqual(steps.slice(0, 3), [
      "2025-10-09T08:53:22.000Z  gauge",
      "  read       2, computed",
      "  judged by  its value, 2",
    ]);
  });

  const refused: [string, string[], RegExp][] = [
    [
      "no series of that name, with the nearest",
      ["cpu_percnt"],
      /the nearest names are cpu_percent, hits_total\./,
    ],
    [
      "no series of these labels, with those of the name",
      ['cpu_percent{job="web"}'],
      /; of this name are cpu_percent\{\} of \{job="api"\}\./,
    ],
    [
      "more than one series, and which",
      ['{job="api"}'],
      /2 series match \{job="api"\}: cpu_percent\{\} of .*, hits_total\{\} of /,
    ],
    ["a selector that is none", ["cpu{"], /a closing brace is missing/],
    ["a time without a zone", ["cpu_percent", "--at", "2025-10-09T08:53:20"], /in --at is no time/],
    ["an entity that is none", ["cpu_percent", "--entity", "job"], /"job" in --entity is no label/],
    [
      "no series of that entity",
      ["cpu_percent", "--entity", "job=web"],
      /No series in standard input matches/,
    ],
    [
      "a time that the series has not, with its neighbours",
      ["cpu_percent", "--at", "2025-10-09T10:53:21.5+02:00"],
      /has nothing at 2025-10-09T08:53:21\.500Z; the nearest are .*21\.000Z and .*22\.000Z\./,
    ],
  ];
  for (const [what, args, message] of refused) {
    it(`says that there is ${what}`, async () => {
      const { exitCode, stdout, stderr } = await explain(strict, lines, ...args);
      assert.equal(exitCode, 2);
      assert.equal(stdout, "");
      assert.match(stderr, /^USAGE_INVALID: .*\n$/);
      assert.match(stderr, message);
    });
  }

  it("says that the input has no series, cannot be read, or has a line that is no frame", async () => {
    assert.match((await explain(strict, "", "cpu")).stderr, /There is no series in standard input\./);
    assert.match((await explain(strict, "{", "cpu")).stderr, /^INPUT_INVALID: standard input:1: /);
    const unread = await runMillrace(["explain", "cpu", "--input", path("nowhere.ndjson")]);
    assert.match(unread.stderr, /^INPUT_UNREADABLE: .*ENOENT/);
    assert.equal(unread.exitCode, 1);
  });
});
