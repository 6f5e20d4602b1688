import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { backwardFill, backwardFillImputer } from "../../../services/kernels/impute/backward-fill.js";
import { forwardFill, forwardFillImputer } from "../../../services/kernels/impute/forward-fill.js";
import { linearFill, linearImputer } from "../../../services/kernels/impute/linear.js";
import { seasonalFill, seasonalImputer } from "../../../services/kernels/impute/seasonal-fill.js";

const anyGap = { maxGapMs: Infinity, limitCount: Infinity, limitAgeMs: Infinity };

type SeriesArguments = Parameters<typeof linearFill> extends [unknown, ...infer Rest] ? Rest : never;

/** Fills samples at seconds 0, 1, 2 … or at those given; the mask as text. */
function fill<Options>(
  filler: (options: Options, ...series: SeriesArguments) => void,
  options: Options,
  values: number[],
  seconds = values.map((_, i) => i),
): { values: number[]; mask: string } {
  const out = new Float64Array(values.length);
  const filled = new Uint8Array(values.length);
  const timestamps = Float64Array.from(seconds, (second) => second * 1_000);
  filler(options, timestamps, Float64Array.from(values), 0, values.length, out, filled, 0);
  return { values: [...out], mask: filled.join("") };
}

describe("linear fill", () => {
  it("goes by time, not by sample, and only between values", () => {
    const { values, mask } = fill(linearFill, anyGap, [NaN, 0, NaN, NaN, 10, NaN], [0, 10, 11, 15, 20, 21]);
    assert.deepEqual(values, [NaN, 0, 1, 5, 10, NaN]);
    assert.equal(mask, "001100");
  });

  it("leaves a gap that is too long open from end to end, and fills one that is just not", () => {
    const values = [0, NaN, NaN, 3, NaN, 5];
    assert.equal(fill(linearFill, { ...anyGap, maxGapMs: 3_000 }, values).mask, "011010");
    assert.equal(fill(linearFill, { ...anyGap, maxGapMs: 2_999 }, values).mask, "000010");
  });

  it("goes on behind an infinity, which it leaves", () => {
    const { values, mask } = fill(linearFill, anyGap, [0, NaN, Infinity, NaN, 4]);
    assert.deepEqual(values, [0, 1, Infinity, 3, 4]);
    assert.equal(mask, "01010");
  });

  it("keeps to the line where its slope overflows, or vanishes among the denormals", () => {
    assert.deepEqual(fill(linearFill, anyGap, [-1.5e308, NaN, 1.5e308]).values, [-1.5e308, 0, 1.5e308]);
    assert.deepEqual(fill(linearFill, anyGap, [0, NaN, 4e-322]).values, [0, 2e-322, 4e-322]);
  });
});

describe("forward and backward fill", () => {
  it("carry the nearest value on that side", () => {
    const values = [NaN, 1, NaN, NaN, 2, NaN];
    assert.deepEqual(fill(forwardFill, anyGap, values).values, [NaN, 1, 1, 1, 2, 2]);
    assert.deepEqual(fill(backwardFill, anyGap, values).values, [1, 1, 2, 2, 2, NaN]);
  });

  it("stop after a count, and after an age", () => {
    const values = [1, NaN, NaN, NaN, 2];
    const seconds = [0, 1, 5, 9, 10];
    assert.equal(fill(forwardFill, { ...anyGap, limitCount: 2 }, values, seconds).mask, "01100");
    assert.equal(fill(backwardFill, { ...anyGap, limitCount: 1 }, values, seconds).mask, "00010");
    assert.equal(fill(forwardFill, { ...anyGap, limitAgeMs: 5_000 }, values, seconds).mask, "01100");
    assert.equal(fill(backwardFill, { ...anyGap, limitAgeMs: 4_999 }, values, seconds).mask, "00010");
  });

  it("take the edge of the samples for the end of a gap that has none yet", () => {
    const values = [1, NaN, NaN, NaN];
    assert.equal(fill(forwardFill, { ...anyGap, maxGapMs: 3_000 }, values).mask, "0111");
    assert.equal(fill(forwardFill, { ...anyGap, maxGapMs: 2_999 }, values).mask, "0000");
  });
});

describe("seasonal fill", () => {
  const options = { ...anyGap, windowMs: 60_000, periodSamples: 6, intervalMs: 1_000 };
  const course = (i: number): number => [3, 8, 1, 0, 4, 9][i % 6] + 0.5 * i;

  it("gives a season on a slope back, whichever samples are missing or not even there", () => {
    const seconds = Array.from({ length: 40 }, (_, i) => i).filter((i) => i !== 7 && i !== 20);
    const values = seconds.map((second) =>
      (second >= 25 && second < 34) || second === 3 ? NaN : course(second),
    );
    const { values: filled, mask } = fill(seasonalFill, options, values, seconds);
    assert.equal(mask.replaceAll("0", "").length, 10);
    filled.forEach((value, i) => assert.ok(Math.abs(value - course(seconds[i])) < 1e-12, `${value}`));
  });

  it("takes a phase that no sample has from its neighbours", () => {
    const values = Array.from({ length: 18 }, (_, i) => (i % 6 === 2 ? NaN : [0, 2, 9, 6, 4, 2][i % 6]));
    const { values: filled } = fill(seasonalFill, options, values);
    for (const i of [2, 8, 14]) assert.ok(Math.abs(filled[i] - 4) < 1e-12, `${filled[i]}`);
  });

  it("has nothing to say where nothing is", () => {
    assert.equal(fill(seasonalFill, options, [NaN, NaN, NaN]).mask, "000");
    assert.equal(fill(seasonalFill, options, []).mask, "");
  });
});

it("what each imputer of a series declares", () => {
  const options = {
    maxGapMs: 60_000,
    limitAgeMs: 20_000,
    limitCount: 3,
    windowMs: 3_600_000,
    periodSamples: 60,
    intervalMs: 5_000,
  };
  const declared = [linearImputer, forwardFillImputer, backwardFillImputer, seasonalImputer].map(
    ({ name, lookbackMs, needsFarEnd }) => [name, lookbackMs(options), needsFarEnd],
  );
  assert.deepEqual(declared, [
    ["linear_interpolation", 0, true],
    ["forward_fill", 0, false],
    ["backward_fill", 0, true],
    ["seasonal", 3_600_000, true],
  ]);
});
