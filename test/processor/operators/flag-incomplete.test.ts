import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { featurePlan } from "../../../services/processor/feature-plan.js";
import { parseConfig } from "../../../services/shared/config.js";
import { type RawFrame, flagBits } from "../../../services/shared/frame.js";
import { run } from "../emitted-rows.js";
import { START_MS, frameOf, planText } from "../made-input.js";

/** With the default threshold of 0.8. */
const plan = featurePlan(
  parseConfig(
    JSON.stringify({
      transform: { ...planText.transform, cleaning: { outlier_detection: "none" }, lateness: "1m" },
    }),
    "test.yaml",
  ),
);

/** Gauges of one entity at one time. */
const at = (tick: number, series: readonly number[], value = 1): RawFrame =>
  frameOf({
    entity: 0,
    tick,
    samples: series.map((one) => ({ series: one, type: "gauge", value, stale: false })),
  });

const seriesFrom = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);
const all = seriesFrom(0, 10);
const ticks = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** Each emission of rows that are incomplete, or were: `<tick> <rows> <whether they are>`. */
async function said(frames: readonly RawFrame[]): Promise<string[]> {
  const seen = new Set<number>();
  const { emitted } = await run(frames, { plan, batches: [1] });
  return emitted.flatMap(({ timestamp, series, flags }) => {
    const isIncomplete = flags.every((bits) => (bits & flagBits.incomplete) !== 0);
    assert.ok(isIncomplete || flags.every((bits) => (bits & flagBits.incomplete) === 0), "rows differ");
    if (!isIncomplete && !seen.has(timestamp)) return [];
    seen.add(timestamp);
    return [`${(timestamp - START_MS) / 1000} ${series.length} ${isIncomplete}`];
  });
}

describe("rows are flagged incomplete", () => {
  it("where more than the threshold's share of the series is missing, as `up` alone is there of a target that is down", async () => {
    const frames = ticks(0, 10).map((tick) => at(tick, all));
    assert.deepEqual(await said([...frames, at(10, [0]), at(11, [0, 1]), at(12, all)]), ["10 1 true"]);
  });

  it("until the rest comes, in another frame or late", async () => {
    const frames = ticks(0, 10).map((tick) => at(tick, all));
    const rest = at(10, seriesFrom(1, 9));
    assert.deepEqual(await said([...frames, at(10, [0]), rest]), ["10 1 true", "10 9 false", "10 1 false"]);
    assert.deepEqual(await said([...frames, at(10, [0]), at(11, all), rest]), ["10 1 true", "10 10 false"]);
  });

  it("later where late samples tell that more was due", async () => {
    const frames = [...ticks(0, 10).map((tick) => at(tick, [0])), at(10, [0])];
    const late = ticks(4, 10).map((tick) => at(tick, seriesFrom(1, 9)));
    assert.deepEqual(await said([...frames, ...late]), ["10 1 true"]);
  });

  it("and are not where a series is not due: other targets of the entity are scraped at other times, and more seldom", async () => {
    const frames = ticks(0, 40).flatMap((tick) => [
      at(tick, [0]),
      at(tick + 0.25, seriesFrom(1, 9)),
      ...(tick % 4 === 0 ? [at(tick + 0.5, seriesFrom(10, 20))] : []),
    ]);
    assert.deepEqual(await said(frames), []);
  });

  it("and are not for long where series ended: they are expected as far back as their interval can be told", async () => {
    const lookback = plan.completeness!.lookbackMs / 1000;
    const frames = [
      ...ticks(0, 10).map((tick) => at(tick, all)),
      ...ticks(10, 70).map((tick) => at(tick, [0])),
    ];
    const flagged = await said(frames);
    // The sixth sample before the last, at tick 4, leaves the lookback.
    assert.deepEqual(
      flagged,
      ticks(10, lookback + 4).map((tick) => `${tick} 1 true`),
    );
  });

  it("and are not where a value is there and is not finite", async () => {
    const frames = ticks(0, 10).map((tick) => at(tick, all));
    assert.deepEqual(await said([...frames, at(10, all, NaN)]), []);
  });
});
