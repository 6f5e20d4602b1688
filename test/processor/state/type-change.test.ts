import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { valueForms } from "../../../services/kernels/convert/type-change.js";
import type { MetricType, RawFrame } from "../../../services/shared/frame.js";
import { run } from "../emitted-rows.js";
import { START_MS, fillingPlans, frameOf, plan } from "../made-input.js";

const at = (tick: number, type: MetricType, value = 1): RawFrame =>
  frameOf({ entity: 0, tick, samples: [{ series: 0, type, value, stale: false }] });

const given = (frame: RawFrame, form: (typeof valueForms)[number]): RawFrame => ({
  ...frame,
  given: { forms: Uint8Array.of(valueForms.indexOf(form)), errors: Uint8Array.of(0) },
});

/** Each change as `<tick> <type> <form> <type> <form>`. */
async function changes(frames: readonly RawFrame[], features = plan): Promise<string[]> {
  const { typeChanges } = await run(frames, { plan: features });
  return typeChanges.map(({ timestamp, from, to }) => {
    const tick = (timestamp - START_MS) / 1000;
    return `${tick} ${from.type} ${from.form} ${to.type} ${to.form}`;
  });
}

describe("a change of type", () => {
  it("is told where another type is declared than for the sample before", async () => {
    assert.deepEqual(await changes([at(0, "gauge"), at(1, "counter"), at(2, "counter"), at(3, "gauge")]), [
      "1 gauge number counter number",
      "3 counter number gauge number",
    ]);
  });

  it("is told where a value looks otherwise than the one before", async () => {
    const frames = [at(0, "gauge"), given(at(1, "gauge"), "boolean"), given(at(2, "gauge", NaN), "text")];
    assert.deepEqual(await changes([...frames, at(3, "gauge", NaN), at(4, "gauge")]), [
      "1 gauge number gauge boolean",
      "2 gauge boolean gauge text",
    ]);
  });

  it("is none where a type was not known", async () => {
    assert.deepEqual(await changes([at(0, "unknown"), at(1, "counter"), at(2, "unknown")]), []);
  });

  it("is none over more than the lookback", async () => {
    const lookback = plan.lookbackMs / 1000;
    assert.deepEqual(await changes([at(0, "gauge"), at(lookback, "counter")]), []);
    assert.equal((await changes([at(0, "gauge"), at(lookback - 1, "counter")])).length, 1);
  });

  it("is told of samples, not of points that were filled in between them", async () => {
    const frames = [at(0, "gauge"), at(1, "gauge"), at(5, "gauge"), at(6, "counter")];
    assert.deepEqual(await changes(frames, fillingPlans["filling"]), ["6 gauge number counter number"]);
  });

  it("is told of a series' newest samples: one that comes late is between two that were compared", async () => {
    assert.deepEqual(await changes([at(0, "gauge"), at(2, "counter"), at(1, "counter"), at(3, "counter")]), [
      "2 gauge number counter number",
    ]);
  });
});
