import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { increase, rate } from "../../services/kernels/rate.js";
import { firstAfter } from "../../services/kernels/window-bounds.js";
import { ascendingTimestamps, gaps } from "./arbitrary-values.js";
import { bitText } from "./exact-arithmetic.js";

const minute = 60_000;

/** The series notation of Prometheus's own tests: `0+10x3 7 _` is 0 10 20 30 7 and a hole. */
function load(stepMs: number, notation: string): { timestamps: Float64Array; values: Float64Array } {
  const points: [number, number][] = [];
  let step = 0;
  for (const word of notation.split(" ")) {
    const [, start = null, by, times] = /^(-?\d+)\+(\d+)x(\d+)$/.exec(word) ?? [];
    if (start === null) {
      if (word !== "_") points.push([step * stepMs, Number(word)]);
      step++;
    } else {
      for (let i = 0; i <= Number(times); i++) points.push([step++ * stepMs, Number(start) + i * Number(by)]);
    }
  }
  return {
    timestamps: Float64Array.from(points, ([timestamp]) => timestamp),
    values: Float64Array.from(points, ([, value]) => value),
  };
}

function at(
  kernel: typeof rate,
  { timestamps, values }: ReturnType<typeof load>,
  atMs: number,
  windowMs: number,
  absent: Uint8Array | null = null,
): number {
  const first = firstAfter(timestamps, 0, timestamps.length, atMs - windowMs);
  const end = firstAfter(timestamps, 0, timestamps.length, atMs);
  return kernel(timestamps, values, absent, first, end, atMs, windowMs);
}

/** As Prometheus's tests compare: to 1e-6 relative. */
function almost(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= 1e-6 * Math.abs(expected), `${actual} instead of ${expected}`);
}

describe("cases of Prometheus's own promql/promqltest/testdata/functions.test", () => {
  it("increase over samples that reach the border, and half an interval beyond", () => {
    const cases: [string, number, number][] = [
      ["0+10x10", 100, 100],
      ["0+18x5 0+18x5", 160, 162],
      ["10+10x10", 100, 105],
      ["1+10x10", 100, 101],
    ];
    for (const [notation, over50, over100] of cases) {
      almost(at(increase, load(5 * minute, notation), 50 * minute, 50 * minute), over50);
      almost(at(increase, load(5 * minute, notation), 50 * minute, 100 * minute), over100);
    }
  });

  it("increase with a counter reset that did not stop at 0", () => {
    almost(at(increase, load(5 * minute, "0 1 2 3 2 3 4"), 30 * minute, 30 * minute), 7);
  });

  it("rate with resets in the middle and at the end", () => {
    almost(at(rate, load(5 * minute, "0+27x4 0+27x5"), 50 * minute, 50 * minute), 0.08);
    assert.ok(Number.isNaN(at(rate, load(5 * minute, "0+10x9 0 10"), 50 * minute, 5 * minute)));
    almost(at(rate, load(5 * minute, "0+10x9 0 10"), 50 * minute, 10 * minute + 1), 0.01666666666666);
    almost(at(rate, load(5 * minute, "0+80x10"), 50 * minute, 50 * minute), 0.26666666666666666);
    almost(at(rate, load(5 * minute, "0+20x10"), 45 * minute, 10 * minute), 0.06666666666666667);
  });

  it("rate cut at the counter's zero, up to half an interval", () => {
    const expected = [0.5, 0.55, 0.6, 0.6, 0.6, 0.6];
    for (const [start, young] of expected.entries()) {
      const series = load(4 * minute, `${start * 60}+240x10`);
      almost(at(rate, series, 10 * minute, 20 * minute), young);
      almost(at(rate, series, 50 * minute, 20 * minute), 0.6);
    }
  });
});

/** Prometheus's definition once more, on a list of points. */
function reference(points: { t: number; v: number }[], atMs: number, windowMs: number, perSecond: boolean) {
  if (points.length < 2) return NaN;
  const [head, tail] = [points[0], points[points.length - 1]];
  let gained = tail.v - head.v;
  points.slice(1).forEach((point, i) => {
    if (point.v < points[i].v) gained += points[i].v;
  });
  const sampledInterval = (tail.t - head.t) / 1000;
  const averageInterval = sampledInterval / (points.length - 1);
  const near = averageInterval * 1.1;
  let before = (head.t - (atMs - windowMs)) / 1000;
  if (before >= near) before = averageInterval / 2;
  if (gained > 0 && head.v >= 0) {
    const zero = sampledInterval * (head.v / gained);
    before = zero < before ? zero : before;
  }
  let after = (atMs - tail.t) / 1000;
  if (after >= near) after = averageInterval / 2;
  let factor = (sampledInterval + before + after) / sampledInterval;
  if (perSecond) factor /= windowMs / 1000;
  return gained * factor;
}

describe("rate and increase", () => {
  const samples = fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0, max: 1_000 }) },
      { weight: 2, arbitrary: fc.double({ min: -1e3, max: 1e300 }) },
      { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity, -0) },
    ),
    { maxLength: 40 },
  );

  it("equal the definition to the bit, on any samples, absent ones among them", () => {
    fc.assert(
      fc.property(
        samples,
        gaps,
        fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 0, max: 300_000 }),
        fc.integer({ min: 1, max: 600 }),
        (raw, someGaps, pattern, beyondMs, windowSeconds) => {
          const timestamps = ascendingTimestamps(raw.length, 1_760_000_000_000, someGaps);
          const values = Float64Array.from(raw);
          const absent = Uint8Array.from(raw, (_, i) => (pattern[i % pattern.length] ? 1 : 0));
          const atMs = (timestamps.at(-1) ?? 0) + beyondMs;
          const windowMs = windowSeconds * 1_000;
          const inWindow = raw
            .map((v, i) => ({ t: timestamps[i], v, gone: absent[i] === 1 }))
            .filter(({ t }) => t > atMs - windowMs && t <= atMs);
          for (const kernel of [rate, increase]) {
            const perSecond = kernel === rate;
            const present = inWindow.filter(({ gone }) => !gone);
            const numbers = inWindow.filter(({ v }) => !Number.isNaN(v));
            assert.equal(
              bitText([at(kernel, { timestamps, values }, atMs, windowMs, absent)]),
              bitText([reference(present, atMs, windowMs, perSecond)]),
            );
            assert.equal(
              bitText([at(kernel, { timestamps, values }, atMs, windowMs)]),
              bitText([reference(numbers, atMs, windowMs, perSecond)]),
            );
          }
        },
      ),
      { seed: 1, numRuns: 2000 },
    );
  });

  it("see a reset across a stale marker", () => {
    const series = load(5_000, "100 110 0 3 8");
    const absent = Uint8Array.of(0, 0, 1, 0, 0);
    series.values[2] = NaN;
    assert.equal(at(increase, series, 20_000, 25_000), at(increase, series, 20_000, 25_000, absent));
    almost(at(increase, series, 20_000, 20_001), 18.0009);
  });

  it("count a true NaN as Prometheus does", () => {
    const none = new Uint8Array(4);
    const middle = {
      timestamps: Float64Array.of(0, 5_000, 10_000, 15_000),
      values: Float64Array.of(1, NaN, 2, 4),
    };
    almost(at(increase, middle, 15_000, 15_001, none), 3.0002);
    const newest = { timestamps: middle.timestamps, values: Float64Array.of(1, 2, 3, NaN) };
    assert.ok(Number.isNaN(at(rate, newest, 15_000, 15_001, none)));
  });

  it("reach half an interval out from 1.1 intervals on, this included", () => {
    // 5 · 1.1 is exactly 5.5 in doubles.
    const series = load(5_000, "100 110");
    almost(at(increase, series, 5_000, 10_500), (10 * (5 + 2.5)) / 5);
    almost(at(increase, series, 5_000, 10_499), (10 * (5 + 5.499)) / 5);
    almost(at(increase, series, 10_500, 10_501), (10 * (5 + 0.001 + 2.5)) / 5);
  });

  it("divide by the seconds that Go makes of the window, which are not always the nearest double", () => {
    // time.Duration(1118 * time.Millisecond).Seconds() is 1.1179999999999999.
    const series = load(559, "0 7 14");
    assert.equal(at(rate, series, 1_118, 1_118), at(increase, series, 1_118, 1_118) / 1.1179999999999999);
  });

  it("are NaN below two samples", () => {
    assert.ok(Number.isNaN(at(rate, load(5_000, "7"), 0, 10_000)));
    assert.ok(
      Number.isNaN(at(rate, { timestamps: new Float64Array(0), values: new Float64Array(0) }, 0, 10_000)),
    );
    assert.ok(
      Number.isNaN(
        at(increase, { timestamps: Float64Array.of(1, 2), values: Float64Array.of(NaN, 3) }, 2, 9),
      ),
    );
  });
});
