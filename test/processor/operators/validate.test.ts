import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { of } from "rxjs";
import { type At, sampleFlags, validate } from "../../../services/processor/operators/validate.js";
import type { CleanFrame } from "../../../services/shared/frame.js";
import { frameOf } from "../made-input.js";

describe("validate", () => {
  it("flags what is no number, what a counter cannot be, and where a series ended; and changes no value", () => {
    const frame = frameOf({
      entity: 0,
      tick: 0,
      samples: [
        { series: 0, type: "gauge", value: -1, stale: false },
        { series: 1, type: "counter", value: -1, stale: false },
        { series: 2, type: "counter", value: -0, stale: false },
        { series: 3, type: "counter", value: NaN, stale: false },
        { series: 4, type: "gauge", value: -Infinity, stale: false },
        { series: 5, type: "counter", value: NaN, stale: true },
      ],
    });
    const found: At<CleanFrame>[] = [];
    of({ offset: 5, frame })
      .pipe(validate())
      .subscribe((clean) => found.push(clean));
    assert.equal(found.length, 1);
    assert.equal(found[0].offset, 5);
    assert.deepEqual([...found[0].frame.flags], [0, 1, 0, 16, 16, 8]);
    assert.equal(found[0].frame.values, frame.values);
    assert.equal(found[0].frame.original, frame.values);
  });

  it("flags texts that had no number", () => {
    const samples = [1, NaN, NaN].map((value, series) => ({
      series,
      type: "gauge" as const,
      value,
      stale: false,
    }));
    const given = { forms: Uint8Array.of(3, 4, 0), errors: Uint8Array.of(0, 2, 0) };
    const found: number[][] = [];
    of({ offset: 0, frame: { ...frameOf({ entity: 0, tick: 0, samples }), given } })
      .pipe(validate())
      .subscribe(({ frame }) => found.push([...frame.flags]));
    assert.deepEqual(found, [[0, 16 + 32, 16]]);
  });

  it("says of an infinite counter that it is infinite, not that it is negative", () => {
    assert.equal(sampleFlags(-Infinity, "counter"), 16);
  });
});
