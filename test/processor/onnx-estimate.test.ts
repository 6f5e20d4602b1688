import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { featurePlan } from "../../services/processor/feature-plan.js";
import { openEstimate } from "../../services/processor/onnx-estimate.js";
import { parseConfig } from "../../services/shared/config.js";
import { MillraceError } from "../../services/shared/errors.js";
import { twoColumns } from "./made-input.js";

const planOf = (model: string) => {
  const imputation = `  imputation:\n    method: onnx\n    model_path: ${model}`;
  return () => featurePlan(parseConfig(`transform:\n${imputation}`, "my.yaml"));
};

describe("a model", () => {
  it("estimates at once what is asked, and one does not take the other's place", () => {
    const one = openEstimate(twoColumns, 2, "here");
    const other = openEstimate(twoColumns, 2, "there");
    assert.deepEqual([...one(Float64Array.of(1, NaN))], [1, 0.5]);
    assert.deepEqual([...other(Float64Array.of(NaN, 1))], [2, 1]);
    assert.deepEqual([...one(Float64Array.of(2, 4, 4, NaN))], [3 + 8, 2 + 1, 3, 2 + 2]);
  });

  for (const [what, model, code, message] of [
    [
      "that is missing",
      "none.onnx\n    model_columns: [a, b]",
      "MODEL_UNREADABLE",
      /^my\.yaml:4:17 transform\.imputation\.model_path: none\.onnx cannot be loaded as a model/,
    ],
    [
      "that is none",
      "package.json\n    model_columns: [a, b]",
      "MODEL_UNREADABLE",
      /^my\.yaml:4:17 transform\.imputation\.model_path: package\.json cannot be loaded as a model/,
    ],
    [
      "of another number of columns",
      `${twoColumns}\n    model_columns: [a, b, c]`,
      "MODEL_SHAPE",
      /^my\.yaml:4:17 transform\.imputation\.model_path: .*two-columns\.onnx has an input values of shape \[rows, 2\]; \[rows, 3\]/,
    ],
  ] as const) {
    it(`${what} is told with its place in the configuration, before anything is read`, () => {
      assert.throws(planOf(model), (error) => {
        assert.ok(error instanceof MillraceError);
        assert.equal(error.code, code);
        assert.match(error.message, message);
        return true;
      });
    });
  }
});
