import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { FeatureFrame, MetricType, RawFrame } from "../../../services/shared/frame.js";
import { fold, run } from "../emitted-rows.js";
import { START_MS, entityOf, frameOf, plan } from "../made-input.js";
import { naiveRows, rowKey } from "../naive-features.js";
import { text } from "../same-rows.js";

const sampleOf = (value: number, type: MetricType = "gauge", series = 0) => ({
  series,
  type,
  value,
  stale: false,
});

const at = (tick: number, value: number, type: MetricType = "gauge", entity = 0): RawFrame =>
  frameOf({ entity, tick, samples: [sampleOf(value, type)] });

/** `tick:revision` of every emitted frame. */
const emissions = (emitted: readonly FeatureFrame[]) =>
  emitted.map(({ timestamp, revision }) => `${(timestamp - START_MS) / 1000}:${revision}`);

/** The columns of the row of entity 0 at this tick. */
function rowAt(emitted: readonly FeatureFrame[], tick: number, series = 0): Record<string, number> {
  const { key, labels } = entityOf(0);
  const text = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  const row = fold(emitted).get(rowKey(key, `metric_${series}{${text.join(",")}}`, START_MS + tick * 1000));
  assert.ok(row !== undefined, `no row at ${tick}`);
  return {
    value: row.value,
    flags: row.flags,
    ...Object.fromEntries(plan.columns.map((column, i) => [column, row.features[i]])),
  };
}

describe("derive", () => {
  it("emits the rows of a frame as it comes, with its offset, reading time and origin", async () => {
    const frame: RawFrame = {
      ...frameOf({ entity: 0, tick: 4, samples: [sampleOf(1), sampleOf(2, "counter", 1)] }),
      origin: "backfill",
      ingestedAt: START_MS + 9_999,
    };
    const { emitted } = await run([frame], { plan, firstOffset: 77 });
    assert.equal(emitted.length, 1);
    const [{ entity, timestamp, revision, knownAt, retracted, origin, series, values }] = emitted;
    assert.equal(entity, frame.entity);
    assert.deepEqual(
      { timestamp, revision, knownAt, retracted, origin },
      {
        timestamp: START_MS + 4_000,
        revision: 77,
        knownAt: START_MS + 9_999,
        retracted: false,
        origin: "backfill",
      },
    );
    assert.deepEqual([...series], frame.series);
    assert.deepEqual([...values], [1, 2]);
  });

  it("computes means, deviations and percentiles as plain arithmetic does", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 60 }),
        async (values) => {
          const { emitted } = await run(
            values.map((value, i) => at(i, value)),
            { plan },
          );
          const tick = values.length - 1;
          const row = rowAt(emitted, tick);
          for (const seconds of [10, 30]) {
            const window = values.slice(Math.max(0, tick - seconds + 1), tick + 1);
            const mean = window.reduce((sum, value) => sum + value, 0) / window.length;
            const squares = window.reduce((sum, value) => sum + (value - mean) ** 2, 0);
            const sorted = [...window].sort((a, b) => a - b);
            const place = 0.25 * (sorted.length - 1);
            const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
            const near = (found: number, wanted: number) =>
              assert.ok(Math.abs(found - wanted) <= 1e-9 * 1e6, `${found} for ${wanted}`);
            near(row[`mean_${seconds}s`], mean);
            near(row[`std_${seconds}s`], Math.sqrt(squares / (window.length - 1)));
            near(row[`p25_${seconds}s`], low + (high - low) * (place % 1));
          }
          assert.ok(Number.isNaN(row["rate"]), "a gauge has no rate");
        },
      ),
      { seed: 3, numRuns: 100 },
    );
  });

  it("judges a counter by its rate, through resets", async () => {
    // 10 a second, and from zero again at 25.
    const frames = Array.from({ length: 40 }, (_, tick) => at(tick, (tick % 25) * 10, "counter"));
    const { emitted } = await run(frames, { plan });
    const row = rowAt(emitted, 39);
    assert.equal(row["value"], 140);
    assert.equal(row["rate"], 10);
    // At 25 the step from 240 to 0 counts as none, and the rates after it see that for 10 s.
    assert.equal(row["p99_9_10s"], 10);
    assert.ok(row["mean_10s"] > 9 && row["mean_10s"] <= 10, String(row["mean_10s"]));
    assert.ok(Number.isNaN(rowAt(emitted, 0)["rate"]), "one sample has no rate");
  });

  it("keeps what is no number out of every window, and says so", async () => {
    const { emitted } = await run([at(0, 1), at(1, NaN), at(2, Infinity), at(3, -Infinity), at(4, 3)], {
      plan,
    });
    assert.equal(rowAt(emitted, 4)["mean_10s"], 2);
    assert.equal(rowAt(emitted, 1)["flags"], 16);
    assert.equal(rowAt(emitted, 1)["mean_10s"], 1);
    assert.equal(rowAt(emitted, 2)["value"], Infinity);
  });

  it("keeps a negative counter out of every window where rules are strict, and only flags it where they are lenient", async () => {
    const frames = [at(0, 0, "counter"), at(1, 10, "counter"), at(2, -5, "counter"), at(3, 30, "counter")];
    const strict = rowAt((await run(frames, { plan, strict: true })).emitted, 3);
    const lenient = rowAt((await run(frames, { plan, strict: false })).emitted, 3);
    const without = rowAt(
      (
        await run(
          frames.filter((_, i) => i !== 2),
          { plan },
        )
      ).emitted,
      3,
    );
    assert.equal(strict["rate"], without["rate"]);
    assert.notEqual(lenient["rate"], without["rate"]);
    for (const isStrict of [true, false]) {
      const { emitted } = await run(frames, { plan, strict: isStrict });
      assert.equal(rowAt(emitted, 2)["flags"], 1);
      assert.equal(rowAt(emitted, 2)["value"], -5);
    }
  });

  it("reads the samples before as a counter's, once the source knows that it is one; their own rows stay what they were", async () => {
    const frames = [0, 1, 2, 3, 4].map((tick) => at(tick, tick * 10, tick < 3 ? "unknown" : "counter"));
    const { emitted } = await run(frames, { plan });
    const known = await run(
      [0, 1, 2, 3, 4].map((tick) => at(tick, tick * 10, "counter")),
      { plan },
    );
    assert.deepEqual(rowAt(emitted, 4), rowAt(known.emitted, 4));
    assert.equal(rowAt(emitted, 2)["mean_10s"], 10);
    // Whichever comes first.
    const late = await run([frames[0], frames[3], frames[4], frames[2], frames[1]], { plan });
    for (let tick = 0; tick < 5; tick++) assert.deepEqual(rowAt(late.emitted, tick), rowAt(emitted, tick));
  });

  it("takes a stale marker for no sample, wherever it stands in a frame", async () => {
    const frameWith = (tick: number, ...stale: boolean[]) =>
      frameOf({
        entity: 0,
        tick,
        samples: stale.map((isStale, series) => ({ ...sampleOf(tick, "gauge", series), stale: isStale })),
      });
    const { emitted } = await run(
      [frameWith(0, true, true, false), frameWith(1, false, false, false), frameWith(2, true, true, true)],
      { plan },
    );
    assert.deepEqual(emissions(emitted), ["0:0", "1:1"]);
    assert.equal(emitted[0].series.length, 1);
    assert.equal(rowAt(emitted, 1, 2)["mean_10s"], 0.5);
    assert.equal(rowAt(emitted, 1, 0)["mean_10s"], 1);
  });

  it("emits again the rows that a late sample touches, oldest first, each once with the last of the revisions", async () => {
    const frames = [at(0, 0), at(2, 2), at(4, 4), at(6, 6), at(3, 30), at(1, 12)];
    const { emitted, outcomes } = await run(frames, { plan });
    assert.deepEqual(emissions(emitted), [
      ...["0:0", "2:1", "4:2", "6:3"],
      ...["1:5", "2:5", "3:5", "4:5", "6:5"],
    ]);
    assert.equal(rowAt(emitted, 6)["mean_10s"], 9);
    assert.deepEqual([...outcomes], [["inserted", 2]]);
    assert.equal(emitted.at(-1)!.knownAt, frames[5].ingestedAt);
  });

  it("does not touch rows that do not see the late sample: a gauge's beyond its longest window, a counter's beyond that of the last rate that sees it", async () => {
    for (const [type, last] of [
      ["gauge", 31],
      ["counter", 41],
    ] as const) {
      const wide = { ...plan, latenessMs: 100_000 };
      const frames = [0, 11.75, 12, 30, 31, 32, 41, 42].map((tick) => at(tick, tick, type));
      const { emitted } = await run([...frames, at(2, 5, type)], { plan: wide });
      const again = emissions(emitted).slice(frames.length);
      assert.equal(again.at(-1), `${last}:8`, type);
    }
  });

  it("corrects rows before the entity's time goes on so far that they could be corrected no more", async () => {
    // The row at 20 is just young enough when the late sample comes, and its windows reach back to −20.
    const before = [-19.75, -10, 0, 10, 20, 30, 40].map((tick) => at(tick, tick ** 2, "counter"));
    const late = at(15, 1, "counter");
    const after = [40.001, 60, 100, 400].map((tick) => at(tick, tick, "counter"));
    const together = fold((await run([...before, late, ...after], { plan })).emitted);
    const apart = fold((await run([...before, late, ...after], { plan, batches: [1] })).emitted);
    assert.deepEqual(together, apart);
    assert.equal(
      together.get([...together.keys()].find((name) => name.endsWith(String(START_MS + 20_000)))!)?.revision,
      7,
    );
  });

  it("has all that the oldest row depends on that it still corrects", async () => {
    const ticks = [-19.5, -9.75, 0, 20, 40];
    const frames = [...ticks, -15].map((tick) => at(tick, (tick + 20) ** 2, "counter"));
    const { emitted } = await run(frames, { plan });
    const wanted = naiveRows(frames, plan, true);
    for (const [name, row] of fold(emitted)) {
      if (name.endsWith(String(START_MS + 20_000))) {
        assert.equal(row.revision, 5);
        assert.equal(text(row), text(wanted.get(name)!));
      }
    }
    assert.ok(emissions(emitted).includes("20:5"));
  });

  it("counts samples that only a replay can make good for, and leaves the rows before the lateness as they are", async () => {
    const frames = [at(0, 0), at(10, 1), at(40, 2), at(5, 7), at(-20, 9), at(-19.999, 9), at(21, 3)];
    const { emitted, outcomes } = await run(frames, { plan });
    assert.deepEqual(Object.fromEntries(outcomes), { inserted: 3, needs_replay: 2, too_late: 1 });
    assert.ok(!emissions(emitted).includes("10:3"));
    assert.equal(rowAt(emitted, 40)["mean_30s"], 2.5);
  });

  it("emits what is the newest of its series, but late in its entity, and counts it", async () => {
    const other = frameOf({ entity: 0, tick: 5, samples: [sampleOf(7, "gauge", 1)] });
    const { emitted, outcomes } = await run([at(40, 1), other], { plan });
    assert.equal(rowAt(emitted, 5, 1)["mean_10s"], 7);
    assert.deepEqual([...outcomes], [["needs_replay", 1]]);
  });

  it("says nothing again for what it knows, and of two values takes the greater", async () => {
    const { emitted, outcomes } = await run([at(0, 1), at(1, 5), at(1, 5), at(1, 4), at(1, NaN), at(1, 6)], {
      plan,
    });
    assert.deepEqual(emissions(emitted), ["0:0", "1:1", "1:5"]);
    assert.equal(rowAt(emitted, 1)["mean_10s"], 3.5);
    assert.deepEqual(Object.fromEntries(outcomes), { duplicate: 1, superseded: 2, replaced: 1 });
  });

  it("does not see what is older than the lookback, though it is still remembered", async () => {
    const { emitted } = await run([at(0, 100, "counter"), at(10, 200, "counter"), at(20, 900, "counter")], {
      plan,
    });
    // (10, 20] holds one sample: the one before a longer silence is no predecessor.
    assert.ok(Number.isNaN(rowAt(emitted, 20)["rate"]));
    const gauges = await run([at(0, 100), at(10, 200)], { plan });
    assert.equal(rowAt(gauges.emitted, 10)["mean_10s"], 200);
  });
});
