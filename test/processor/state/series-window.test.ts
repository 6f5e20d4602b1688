import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type SeriesWindow,
  addSample,
  dropUntil,
  openSeriesWindow,
  seriesAt,
  writeRow,
} from "../../../services/processor/state/series-window.js";
import { type MetricType, metricTypes } from "../../../services/shared/frame.js";
import { internSeries } from "../../../services/shared/series.js";
import { bitText } from "../../kernels/exact-arithmetic.js";
import { plan } from "../made-input.js";

const seriesOf = (type: MetricType) => internSeries("m", { job: "a" }, type);

interface Sample {
  timestamp: number;
  value: number;
  type: MetricType;
}

function windowOf(samples: readonly Sample[]): SeriesWindow {
  const window = openSeriesWindow(seriesOf(samples[0].type), plan);
  for (const { timestamp, value, type } of samples)
    addSample(window, plan, seriesOf(type), timestamp, value, false);
  return window;
}

/** The samples that a window holds, and the rows of them all. */
function contents(window: SeriesWindow): string[] {
  const texts: string[] = [];
  for (let i = window.first; i < window.end; i++) {
    const row = new Float64Array(plan.columns.length);
    writeRow(window, plan, i, row, 0);
    const sample = [window.timestamps[i], window.values[i], window.excluded[i]];
    texts.push(`${bitText(sample)} ${seriesAt(window, i).type} ${bitText(row)}`);
  }
  return texts;
}

const sample: fc.Arbitrary<Sample> = fc.record({
  timestamp: fc.integer({ min: 0, max: 60 }).map((second) => second * 1000),
  value: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom(NaN, -0, Infinity, -Infinity, 0.1)),
  type: fc.constantFrom(...metricTypes),
});
const samples = fc.array(sample, { minLength: 1, maxLength: 40 });

describe("SeriesWindow", () => {
  it("holds the same whichever sample came first", () => {
    fc.assert(
      fc.property(
        samples.chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
        ),
        ([some, shuffled]) => assert.deepEqual(contents(windowOf(shuffled)), contents(windowOf(some))),
      ),
      { seed: 5, numRuns: 300 },
    );
  });

  it("says what became of a sample", () => {
    const window = windowOf([
      { timestamp: 10, value: 1, type: "unknown" },
      { timestamp: 20, value: NaN, type: "gauge" },
    ]);
    const add = (timestamp: number, value: number, type: MetricType = "gauge") =>
      addSample(window, plan, seriesOf(type), timestamp, value, false);
    assert.equal(add(30, 1), "appended");
    assert.equal(add(30, 1), "duplicate");
    assert.equal(add(30, 0.5), "superseded");
    assert.equal(add(30, NaN), "superseded");
    assert.equal(add(20, -Infinity), "replaced");
    assert.equal(add(25, 5), "inserted");
    assert.equal(add(5, 5), "inserted");
    assert.equal(add(10, 1, "counter"), "replaced");
    assert.equal(add(10, 1, "gauge"), "superseded");
    assert.equal(add(10, 2, "unknown"), "replaced");
    assert.equal(seriesAt(window, window.first + 1).type, "unknown");
    assert.deepEqual([...window.timestamps.subarray(window.first, window.end)], [5, 10, 20, 25, 30]);
  });

  it("has the same rows after its columns were moved, and takes no more room than what it holds", () => {
    const window = openSeriesWindow(seriesOf("counter"), plan);
    const kept = 50;
    for (let i = 0; i < 5_000; i++) {
      // One of five comes late.
      const second = i % 5 === 0 ? i - 3 : i;
      addSample(
        window,
        plan,
        seriesOf(i % 700 < 20 ? "unknown" : "counter"),
        second * 1000,
        i % 97,
        i % 11 === 0,
      );
      dropUntil(window, (i - kept) * 1000);
      if (i % 617 !== 0) continue;
      const fresh = openSeriesWindow(seriesOf("counter"), plan);
      for (let j = window.first; j < window.end; j++) {
        const { timestamps, values, excluded } = window;
        addSample(fresh, plan, seriesAt(window, j), timestamps[j], values[j], excluded[j] === 1);
      }
      assert.deepEqual(contents(window).slice(-10), contents(fresh).slice(-10));
    }
    assert.ok(window.timestamps.length <= 4 * kept, `${window.timestamps.length} places for ${kept} samples`);
  });
});
