import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type SeriesWindow,
  addSample,
  dropUntil,
  openSeriesWindow,
  removeAt,
  seriesAt,
} from "../../../services/processor/state/series-window.js";
import { type MetricType, flagBits, metricTypes } from "../../../services/shared/frame.js";
import { internSeries } from "../../../services/shared/series.js";
import { bitText } from "../../kernels/exact-arithmetic.js";
import { plan } from "../made-input.js";

const seriesOf = (type: MetricType) => internSeries("m", { job: "a" }, type);

interface Sample {
  timestamp: number;
  value: number;
  type: MetricType;
  flags?: number;
}

function windowOf(samples: readonly Sample[]): SeriesWindow {
  const window = openSeriesWindow(seriesOf(samples[0].type), plan);
  for (const sample of samples) add(window, sample);
  return window;
}

function add(window: SeriesWindow, { timestamp, value, type, flags = 0 }: Sample, isExcluded = false) {
  return addSample(window, { series: seriesOf(type), timestamp, value, form: 1, flags, isExcluded });
}

/** The samples that a window holds. */
function contents(window: SeriesWindow): string[] {
  const texts: string[] = [];
  for (let i = window.first; i < window.end; i++) {
    const sample = [window.timestamps[i], window.values[i], window.kinds[i], window.flags[i]];
    texts.push(`${bitText(sample)} ${seriesAt(window, i).type}`);
  }
  return texts;
}

const sample: fc.Arbitrary<Sample> = fc.record({
  timestamp: fc.integer({ min: 0, max: 60 }).map((second) => second * 1000),
  value: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom(NaN, -0, Infinity, -Infinity, 0.1)),
  type: fc.constantFrom(...metricTypes),
  flags: fc.constantFrom(0, flagBits.invalid, flagBits.conversion_error),
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
    const outcome = (timestamp: number, value: number, type: MetricType = "gauge", flags = 0) =>
      add(window, { timestamp, value, type, flags });
    assert.equal(outcome(30, 1), "appended");
    assert.equal(outcome(30, 1), "duplicate");
    assert.equal(outcome(30, 0.5), "superseded");
    assert.equal(outcome(30, NaN), "superseded");
    assert.equal(outcome(20, -Infinity), "replaced");
    assert.equal(outcome(25, 5), "inserted");
    assert.equal(outcome(5, 5), "inserted");
    assert.equal(outcome(10, 1, "counter"), "replaced");
    assert.equal(outcome(10, 1, "gauge"), "superseded");
    assert.equal(outcome(10, 1, "counter", flagBits.invalid), "replaced");
    assert.equal(outcome(10, 1, "counter"), "superseded");
    assert.equal(outcome(10, 2, "unknown"), "replaced");
    assert.equal(seriesAt(window, window.first + 1).type, "unknown");
    assert.deepEqual([...window.timestamps.subarray(window.first, window.end)], [5, 10, 20, 25, 30]);
  });

  it("has the same samples after its columns were moved, and takes no more room than what it holds", () => {
    const window = openSeriesWindow(seriesOf("counter"), plan);
    const kept = 50;
    const known = new Map<number, string>();
    for (let i = 0; i < 5_000; i++) {
      // One of five comes late, and one of seventy goes again.
      const timestamp = 1000 * (i % 5 === 0 ? i - 3 : i);
      const type = i % 700 < 20 ? "unknown" : "counter";
      add(window, { timestamp, value: i, type }, i % 11 === 0);
      known.set(timestamp, `${bitText([timestamp, i, Number(i % 11 === 0), 0])} ${type}`);
      dropUntil(window, (i - kept) * 1000);
      if (i % 70 === 69) known.delete(window.timestamps[window.end - 10]);
      if (i % 70 === 69) removeAt(window, window.end - 10);
      if (i % 617 !== 0) continue;
      const inOrder = [...known].filter(([at]) => at > (i - kept) * 1000).sort(([a], [b]) => a - b);
      assert.deepEqual(
        contents(window),
        inOrder.map(([, text]) => text),
      );
      const counters = contents(window).filter((text) => text.endsWith(" counter"));
      assert.equal(window.counters, counters.length);
    }
    assert.ok(window.timestamps.length <= 4 * kept, `${window.timestamps.length} places for ${kept} samples`);
  });
});
