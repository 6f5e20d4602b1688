import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createCommittedSamples } from "../../../services/poller/remote-write/committed-samples.js";
import { internSeries } from "../../../services/shared/series.js";

const seriesOf = (index: number) => internSeries(`m${index}`, {}, "gauge");

describe("createCommittedSamples", () => {
  it("knows a sample again by series, time and value, bit for bit", () => {
    const { add, size } = createCommittedSamples(100);
    const values = [1, NaN, 0, -0, Infinity, -Infinity];
    values.forEach((value, i) =>
      assert.equal(add(seriesOf(0), 7, value, false), i === 0 ? "new" : "other value"),
    );
    assert.equal(add(seriesOf(0), 7, NaN, true), "other value");
    for (const value of values) assert.equal(add(seriesOf(0), 7, value, false), "committed");
    assert.equal(add(seriesOf(0), 7, 0, true), "committed");
    assert.equal(add(seriesOf(1), 7, 1, false), "new");
    assert.equal(add(seriesOf(0), 6, 1, false), "new");
    assert.equal(add(internSeries("m0", {}, "counter"), 6, 1, false), "committed");
    assert.equal(size(), 9);
  });

  it("forgets what came before the age that ends, and the oldest beyond its bound", () => {
    const { add, nextAge, size } = createCommittedSamples(3);
    add(seriesOf(0), 1, 1, false);
    nextAge();
    add(seriesOf(0), 2, 1, false);
    add(seriesOf(1), 2, 1, false);
    nextAge();
    assert.equal(size(), 2);
    assert.equal(add(seriesOf(0), 2, 1, false), "committed");
    assert.equal(add(seriesOf(0), 1, 1, false), "new");
    add(seriesOf(2), 1, 1, false);
    assert.equal(size(), 3);
    assert.equal(add(seriesOf(0), 2, 1, false), "new");
  });

  it("answers as a list of all that came would, whatever comes in whatever order", () => {
    const step = fc.oneof(
      { weight: 1, arbitrary: fc.constant("next age" as const) },
      {
        weight: 20,
        arbitrary: fc.record({
          series: fc.nat(2),
          timestamp: fc.nat(6),
          value: fc.constantFrom(1, 2, NaN),
          stale: fc.boolean(),
        }),
      },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 1, max: 20 }), (steps, max) => {
        const committed = createCommittedSamples(max);
        let list: { of: string; what: string; age: number }[] = [];
        let age = 0;
        for (const one of steps) {
          if (one === "next age") {
            committed.nextAge();
            list = list.filter((entry) => entry.age === age);
            age++;
          } else {
            const { series, timestamp, value, stale } = one;
            const of = `${series}@${timestamp}`;
            const what = stale ? "stale" : String(value);
            const same = list.filter((entry) => entry.of === of);
            const expected = same.some((entry) => entry.what === what)
              ? "committed"
              : same.length > 0
                ? "other value"
                : "new";
            assert.equal(committed.add(seriesOf(series), timestamp, value, stale), expected);
            if (expected !== "committed") list.push({ of, what, age });
            if (list.length > max) list.shift();
          }
          assert.equal(committed.size(), list.length);
        }
      }),
    );
  });
});
