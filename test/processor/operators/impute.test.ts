import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Made, planOf, told } from "./made-series.js";

const IMPUTED = 2;
const OUTLIER = 4;
const NOT_FINITE = 16;

const method = "linear_interpolation";
const plan = planOf({ imputation: { method, interval: "1s", max_gap_minutes: 0.1 } });
/** Samples whose values are twice their seconds, without those of these seconds. */
const without = (...missing: number[]): Made[] =>
  Array.from({ length: 20 }, (_, second) => ({ second, value: 2 * second })).filter(
    ({ second }) => !missing.includes(second),
  );

describe("impute", () => {
  it("fills a gap on a straight line once its far end comes, and says so", async () => {
    const { row, emitted } = await told(without(8, 9), plan);
    assert.equal(row(8)!.flags, IMPUTED);
    assert.equal(row(8)!.value, 16);
    assert.equal(row(9)!.value, 18);
    assert.equal(row(10)!.flags, 0);
    // As if nothing had been missing.
    assert.equal(row(10)!.features[0], 11);
    assert.equal(row(9)!.features[0], 9);
    // By the frame of the far end, after its own row.
    const order = emitted.map(({ timestamp, revision }) => `${(timestamp / 1000) % 100}:${revision}`);
    assert.deepEqual(order.slice(8, 11), ["10:8", "8:8", "9:8"]);
  });

  it("leaves a longer gap wholly open, and one that has no far end", async () => {
    const { row } = await told(without(4, 5, 6, 7, 8, 9, 18, 19), plan);
    for (const second of [4, 9, 18, 19]) assert.equal(row(second), undefined);
    const open = await told(without(4, 5, 6, 7, 8), plan);
    assert.equal(open.row(8)!.flags, IMPUTED);
  });

  it("fills what was no number, and keeps both flags", async () => {
    const samples = without(8)
      .concat({ second: 8, value: NaN })
      .sort((a, b) => a.second - b.second);
    const { row } = await told(samples, plan);
    assert.equal(row(8)!.flags, IMPUTED | NOT_FINITE);
    assert.equal(row(8)!.value, 16);
  });

  it("fills an outlier that was removed", async () => {
    const cleaning = { outlier_detection: "iqr", outlier_action: "remove", outlier_window: "30s" };
    const removing = planOf({ cleaning, imputation: { method, interval: "1s" } });
    const samples = without(15)
      .concat({ second: 15, value: 900 })
      .sort((a, b) => a.second - b.second);
    const { row } = await told(samples, removing);
    assert.equal(row(15)!.flags, IMPUTED | OUTLIER);
    assert.equal(row(15)!.value, 30);
  });

  it("takes a true sample instead of what was filled in, and retracts what is there no more", async () => {
    const late = { second: 8.25, value: 100 };
    const { row, emitted } = await told([...without(8, 9), late], plan);
    assert.equal(row(8.25)!.flags, 0);
    assert.equal(row(8.25)!.value, 100);
    // Between 8.25 and 10 there is room for one.
    assert.equal(row(8), undefined);
    assert.equal(row(9), undefined);
    assert.equal(row(9.125)!.flags, IMPUTED);
    const retracted = emitted.filter((one) => one.retracted).map(({ timestamp }) => timestamp % 10_000);
    assert.deepEqual(retracted, [8_000, 9_000]);
  });

  it("fills a counter's rate, and invents no count", async () => {
    const counted = without(14, 15).map((sample) => ({ ...sample, type: "counter" as const }));
    const { row } = await told(counted, plan);
    assert.equal(row(14)!.flags, IMPUTED);
    assert.ok(Number.isNaN(row(14)!.value));
    assert.equal(row(14)!.features.at(-1), 2);
  });

  it("tells the interval from the samples before, unless it is configured", async () => {
    const auto = planOf({ imputation: { method, interval: "auto" } });
    const { row } = await told(without(8, 9), auto);
    assert.equal(row(9)!.value, 18);
    // Three samples do not tell how often one is expected.
    const early = await told(without(3), auto);
    assert.equal(early.row(3), undefined);
  });
});
