import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { randomStream } from "../../../services/kernels/random.js";
import type { Fill } from "../../../services/processor/imputers.js";
import { type ImputationMethod, imputationMethods } from "../../../services/shared/imputation-methods.js";
import { run } from "../emitted-rows.js";
import { frameOf, twoColumns } from "../made-input.js";
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

  const filling = (imputation: object) => planOf({ imputation: { interval: "1s", ...imputation } });
  const values = async (samples: readonly Made[], imputation: object, seconds: readonly number[]) => {
    const { row } = await told(samples, filling(imputation));
    return seconds.map((second) => row(second)?.value);
  };

  it("carries the value before a gap into it, as many samples and as far as is allowed", async () => {
    const samples = without(8, 9, 10, 11);
    const seconds = [8, 9, 10, 11];
    assert.deepEqual(await values(samples, { method: "forward_fill" }, seconds), [14, 14, 14, 14]);
    const limited = { method: "forward_fill", limit_samples: 3 };
    assert.deepEqual(await values(samples, limited, seconds), [14, 14, 14, undefined]);
    const aged = { method: "forward_fill", limit_age: "2s" };
    assert.deepEqual(await values(samples, aged, seconds), [14, 14, undefined, undefined]);
  });

  it("carries the value after a gap back into it", async () => {
    const samples = without(8, 9, 10, 11);
    const limited = { method: "backward_fill", limit_samples: 3, limit_age: "2s" };
    assert.deepEqual(await values(samples, limited, [8, 9, 10, 11]), [undefined, undefined, 24, 24]);
  });

  it("fills with the mean or the median of the window up to the gap", async () => {
    const samples = without(7, 8, 9).map(({ second, value }) => ({
      second,
      value: second === 4 ? 50 : value,
    }));
    // 4 s to 6 s: 50, 10, 12.
    assert.deepEqual(await values(samples, { method: "mean", window: "3s" }, [7, 9]), [24, 24]);
    assert.deepEqual(await values(samples, { method: "median", window: "3s" }, [7, 9]), [12, 12]);
  });

  it("fills anew what a late sample in the window before a gap changes", async () => {
    const samples = [...without(5, 8), { second: 5, value: 100 }];
    // 5 s to 7 s: 100, 12, 14.
    assert.deepEqual(await values(samples, { method: "mean", window: "3s" }, [8]), [42]);
  });

  it("fills with the season, for samples that come a little early or late, too", async () => {
    const season = [10, 0, -10, 0];
    for (const interval of ["1s", "auto"]) {
      const samples = without(13, 14, 15).map(({ second }) => ({
        second: second + [0.01, -0.01, 0][second % 3],
        value: second + season[second % 4],
      }));
      const { emitted } = await told(samples, filling({ method: "seasonal", interval, season_samples: 4 }));
      const filled = emitted.filter(({ flags }) => flags[0] === IMPUTED).map((frame) => frame.values[0]);
      assert.equal(filled.length, 3);
      [13, 4, 15].forEach((expected, i) => assert.ok(Math.abs(filled[i] - expected) < 0.1, String(filled)));
    }
  });

  it("fills with the mean of all series of the metric that share a label, or of its own minute", async () => {
    // Of metric_0, 0 ... 19, and of the other series of that metric 100 ... 119.
    const two = without(8, 9).flatMap(({ second }) => [
      { second, value: second },
      { second, value: 100 + second, series: 3 },
      { second, value: 1e6, series: 1 },
    ]);
    const grouped = { method: "mean", window: "3s" };
    assert.deepEqual(await values(two, { ...grouped, group_by: ["job", "instance"] }, [8, 9]), [56, 56]);
    assert.deepEqual(await values(two, { ...grouped, group_by: [] }, [8, 9]), [56, 56]);
    assert.deepEqual(await values(two, { ...grouped, group_by: ["mode"] }, [8, 9]), [6, 6]);
    // The made samples begin 53 min 20 s after an hour: 40 s later a minute begins.
    const minutes = Array.from({ length: 60 }, (_, second) => ({ second, value: second })).filter(
      ({ second }) => second < 37 || (second > 41 && second < 50) || second > 51,
    );
    const byMinute = { method: "median", window: "10s", group_time: "minute" };
    // At 40 s nothing is of the new minute, and at 50 s what came since 42 s.
    assert.deepEqual(await values(minutes, byMinute, [39, 40, 50]), [31.5, 31.5, 45.5]);
  });

  const model = { method: "onnx", model_path: twoColumns, window: "3s" };

  it("fills with what a model estimates from the window and the far end", async () => {
    const samples = without(8).flatMap(({ second }) => [
      { second, value: second },
      { second, value: 100, series: 1 },
    ]);
    const inColumns = (...model_columns: string[]) => values(samples, { ...model, model_columns }, [8]);
    // Rows of 5, 6, 7, 8 and 9 s: the mean of 5, 6, 7, 0 and 9, and as much as the model makes of the other's 100, where it has one.
    samples.push({ second: 8, value: 100, series: 1 });
    samples.sort((a, b) => a.second - b.second);
    assert.deepEqual(await inColumns("metric_0", "metric_1"), [5.4 + 200]);
    assert.deepEqual(await inColumns("metric_1", "metric_0"), [5.4 + 50]);
    assert.deepEqual(await inColumns("metric_7", "metric_0"), [5.4]);
    assert.deepEqual(await inColumns("metric_1", "metric_2"), [undefined]);
  });

  const options: Partial<Record<ImputationMethod, object>> = {
    seasonal: { season_samples: 4, window: "6s" },
    onnx: { ...model, window: "6s", model_columns: ["metric_0", "metric_1"] },
    ...Object.fromEntries(
      ["mean", "median", "regression", "kmeans", "matrix_factorization"].map((one) => [
        one,
        { window: "6s" },
      ]),
    ),
  };

  for (const method of imputationMethods) {
    it(`looks by ${method} as far back as it declares, and at the far end only where it declares that it needs it`, async () => {
      const plan = filling({ method, ...options[method] });
      const { lookbackMs, declaration } = plan.imputation!.imputer;
      assert.equal(declaration.name, method);
      const random = randomStream(1, method, 0);
      const samples = seconds.map((second) => ({ second, value: 100 * random() }));
      const valueWith = async (changed: number) => {
        const made = samples.map((one) => (one.second === changed ? { ...one, value: one.value + 50 } : one));
        return (
          await told(
            made.filter(({ second }) => second !== 15),
            plan,
          )
        ).row(15)!.value;
      };
      const value = await valueWith(-1);
      assert.equal((await valueWith(16)) !== value, declaration.needsFarEnd);
      // At 14 s is the near end, which all methods may look at; a median needs not change with it.
      const oldest = 15 - Math.max(1, lookbackMs / 1000);
      assert.equal(await valueWith(oldest - 1), value);
      const seen = await Promise.all(Array.from({ length: 15 - oldest }, (_, i) => valueWith(oldest + i)));
      if (method !== "backward_fill") assert.ok(seen.some((other) => other !== value));
    });
  }

  it("fills the gaps of all series at the same times at once", async () => {
    for (const method of ["regression", "onnx"] as const) {
      const plan = filling({ method, ...options[method] });
      const { imputer } = plan.imputation!;
      let calls = 0;
      const fill: Fill = (...table) => {
        calls++;
        return imputer.fill(...table);
      };
      const counting = { ...plan, imputation: { ...plan.imputation!, imputer: { ...imputer, fill } } };
      const frames = seconds
        .filter((second) => second !== 15)
        .map((second) => frameOf({ entity: 0, tick: second, samples: both(second).map(sampleOf) }));
      const { emitted } = await run(frames, { plan: counting, batches: [1] });
      const filled = emitted.filter(({ flags }) => flags[0] === IMPUTED);
      assert.deepEqual(
        filled.map(({ series }) => series.length),
        [2],
      );
      assert.equal(calls, 1);
    }
  });

  for (const method of ["regression", "kmeans", "matrix_factorization"]) {
    it(`goes on with what was before, by ${method}, where no series says anything`, async () => {
      const made = seconds
        .filter((second) => second !== 14 && second !== 15)
        .flatMap((second) => both(second));
      const { row } = await told(
        [...made, ...both(15, 15)].sort((a, b) => a.second - b.second),
        filling({ method }),
      );
      for (const metric of ["metric_0", "metric_1"])
        assert.equal(row(14, metric)!.value, row(13, metric)!.value);
      assert.equal(row(15)!.flags, IMPUTED);
      assert.notEqual(row(15)!.value, row(13)!.value);
    });
  }

  const sampleOf = ({ value, series = 0 }: Made) => ({ value, series, type: "gauge" as const, stale: false });

  const both = (second: number, ...missing: number[]): Made[] => {
    const other = { second, value: 5 * ((second * 7) % 11), series: 1 };
    return missing.includes(second) ? [other] : [{ second, value: 3 + 2 * other.value }, other];
  };
  const seconds = Array.from({ length: 20 }, (_, second) => second);

  for (const method of ["regression", "kmeans", "matrix_factorization"]) {
    it(`fills from what another series was meanwhile by ${method}`, async () => {
      const { row } = await told(
        seconds.flatMap((second) => both(second, 15)),
        filling({ method, window: "15s" }),
      );
      assert.equal(row(15)!.flags, IMPUTED);
      const error = Math.abs(row(15)!.value - (3 + 2 * row(15, "metric_1")!.value));
      // The mean would be off by 44.
      assert.ok(error < { regression: 0.1, kmeans: 15, matrix_factorization: 15 }[method]!, String(error));
    });
  }

  it("fills anew what any sample changes that the filler looked at, of whichever series it is", async () => {
    // A row of the window begins at 5 s, where the other series is as it was at 4 s.
    const made = seconds
      .flatMap((second) => both(second, 9))
      .filter(({ second, series }) => !(second === 5 && series === 1));
    const options = filling({ method: "regression", window: "4s" });
    const isOf =
      (wanted: number) =>
      ({ second, series }: Made) =>
        second === wanted && series === 1;
    const expected = (await told(made, options)).row(9)!;
    for (const wanted of [4, 6, 8, 9]) {
      const without = made.filter((sample) => !isOf(wanted)(sample));
      const late = await told([...without, ...made.filter(isOf(wanted))], options);
      assert.equal(late.row(9)!.value, expected.value, `${wanted} s`);
      assert.notEqual((await told(without, options)).row(9)!.value, expected.value, `${wanted} s`);
    }
    // And nothing older; nor, since a regression needs no far end, what came with it.
    const changed = made.map((sample) =>
      sample.second < 4 || sample.second > 9 ? { ...sample, value: sample.value + 7 } : sample,
    );
    assert.equal((await told(changed, options)).row(9)!.value, expected.value);
  });
});
