import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { from, lastValueFrom, toArray } from "rxjs";
import { type Made, frame, planOf, told } from "./made-series.js";
import { validate } from "../../../services/processor/operators/validate.js";
import { remember } from "../../../services/processor/operators/remember.js";
import { clean } from "../../../services/processor/operators/clean.js";
import { openPartitionState } from "../../../services/processor/state/partition-state.js";

const OUTLIER = 4;
const planWith = (outlier_action: string, outlier_detection = "iqr") =>
  planOf({ cleaning: { outlier_detection, outlier_action, outlier_window: "30s" } });

/** Values about 10, and 500 at second 20. */
const samples: Made[] = Array.from({ length: 25 }, (_, second) => ({
  second,
  value: second === 20 ? 500 : 10 + (second % 3),
}));

describe("clean", () => {
  it("flags an outlier, and leaves it in the windows", async () => {
    const { row } = await told(samples, planWith("flag"));
    assert.equal(row(20)!.flags, OUTLIER);
    assert.equal(row(20)!.value, 500);
    assert.ok(row(21)!.features[0] > 50, "the mean saw it");
    for (let second = 0; second < 25; second++) if (second !== 20) assert.equal(row(second)!.flags, 0);
  });

  it("removes an outlier from the windows, and keeps what was read in its row", async () => {
    const { row } = await told(samples, planWith("remove"));
    assert.equal(row(20)!.flags, OUTLIER);
    assert.equal(row(20)!.value, 500);
    assert.ok(row(21)!.features[0] < 12);
  });

  it("clips an outlier to the fence of the others", async () => {
    const { row } = await told(samples, planWith("clip"));
    assert.equal(row(20)!.flags, OUTLIER);
    // Quartiles 10 and 12 of the twenty others.
    assert.equal(row(20)!.value, 12 + 1.5 * 2);
    assert.equal(row(20)!.features[0], 11.4);
  });

  for (const method of ["zscore", "robust_zscore", "isolation_forest"]) {
    it(`finds it by ${method}, too`, async () => {
      const { row } = await told(samples, planWith("flag", method));
      assert.equal(row(20)!.flags, OUTLIER);
    });
  }

  it("judges a counter by its rate", async () => {
    const counted = samples.map(({ second, value }) => ({ second, value, type: "counter" as const }));
    let total = 0;
    for (const sample of counted) sample.value = total += sample.value;
    const { row } = await told(counted, planWith("flag"));
    assert.equal(row(20)!.flags, OUTLIER);
    assert.equal(row(19)!.flags, 0);
  });

  it("judges those after a late sample again", async () => {
    // A level of 500 came to stay; that it did is only told by what comes late.
    const late = Array.from({ length: 12 }, (_, i) => ({ second: 20 + i / 20, value: 500 }));
    const inOrder = [...samples.slice(0, 20), ...late, { second: 21, value: 500 }];
    const before = await told([...samples.slice(0, 20), { second: 21, value: 500 }], planWith("flag"));
    assert.equal(before.row(21)!.flags, OUTLIER);
    const after = await told(
      [...samples.slice(0, 20), { second: 21, value: 500 }, ...late],
      planWith("flag"),
    );
    const wanted = await told(inOrder, planWith("flag"));
    assert.equal(wanted.row(21)!.flags, 0);
    assert.equal(after.row(21)!.flags, 0);
    assert.equal(after.row(21)!.features[0], wanted.row(21)!.features[0]);
  });

  it("tells metrics.clean, too, which keeps what was read beside it", async () => {
    const plan = planWith("clip");
    const nothing = () => undefined;
    const settling = { plan, strict: true, judge: null, count: nothing, onTypeChange: nothing };
    const input = samples.map((sample, offset) => ({ offset, frame: frame(sample) }));
    const changes = await lastValueFrom(
      from(input).pipe(
        validate(),
        remember(settling, openPartitionState()),
        clean(plan.outliers!),
        toArray(),
      ),
    );
    const cleaned = changes.find(({ input: { offset }, windows }) => offset === 20 && windows.length > 0)!
      .input.frame;
    assert.deepEqual([...cleaned.values], [15]);
    assert.deepEqual([...cleaned.original], [500]);
    assert.deepEqual([...cleaned.flags], [OUTLIER]);
  });
});
