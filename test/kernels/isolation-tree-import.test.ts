import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isolationScore } from "../../services/kernels/isolation-forest.js";
import { isolationForestOf } from "../../services/kernels/isolation-tree-import.js";

const tree = {
  children_left: [1, -1, 3, -1, -1],
  children_right: [2, -1, 4, -1, -1],
  feature: [0, -2, 1, -2, -2],
  threshold: [0.5, -2, 1.5, -2, -2],
  n_node_samples: [4, 1, 3, 1, 2],
};
const document = { columns: 2, max_samples: 4, offset: -0.5, trees: [tree] };

/** c(4) */
const average = 2 * (Math.log(3) + 0.5772156649015329) - 1.5;

describe("isolation forests as JSON", () => {
  it("score by the mean path length", () => {
    const forest = isolationForestOf(document);
    if (typeof forest === "string") assert.fail(forest);
    const score = (...row: number[]) => isolationScore(forest, Float64Array.from(row), 0);
    const near = (actual: number, path: number) =>
      assert.ok(Math.abs(actual - 2 ** (-path / average)) < 1e-15, `${actual}`);
    near(score(0.5, 9), 1);
    near(score(0.6, 1), 2);
    // Two rows of the sample are in the leaf, and c(2) = 1.
    near(score(0.6, 2), 3);
    // 0.5 in single precision.
    near(score(0.5 + 2 ** -26, 9), 1);
    assert.equal(score(NaN, 1), NaN);
    assert.equal(forest.outlierAbove, 0.5);
  });

  it("send missing values where the trees say", () => {
    const forest = isolationForestOf({
      ...document,
      trees: [{ ...tree, missing_go_to_left: [0, 0, 1, 0, 0] }],
    });
    if (typeof forest === "string") assert.fail(forest);
    const score = isolationScore(forest, Float64Array.of(NaN, NaN), 0);
    assert.ok(Math.abs(score - 2 ** (-2 / average)) < 1e-15);
  });

  it("are refused with the place and the reason", () => {
    const bad = (change: object) => isolationForestOf({ ...document, trees: [tree, { ...tree, ...change }] });
    const texts = [
      isolationForestOf(null),
      isolationForestOf([]),
      isolationForestOf({ ...document, trees: [] }),
      isolationForestOf({ ...document, columns: 0 }),
      isolationForestOf({ ...document, max_samples: "256" }),
      isolationForestOf({ ...document, max_samples: 3 }),
      isolationForestOf({ ...document, offset: 0.5 }),
      isolationForestOf({ ...document, scaler: {} }),
      bad({ feature: undefined }),
      bad({ features: [] }),
      bad({ threshold: [0.5, -2, null, -2, -2] }),
      bad({ threshold: [0.5, -2, 1.5, -2] }),
      bad({ feature: [0, -2, 2, -2, -2] }),
      bad({ children_left: [1, -1, 2, -1, -1] }),
      bad({ children_right: [2, -1, 5, -1, -1] }),
      bad({ children_right: [1, -1, 4, -1, -1] }),
      bad({ children_left: [1, -1, -1, -1, -1] }),
      bad({ children_left: [-1, -1, 3, -1, -1], children_right: [-1, -1, 4, -1, -1] }),
      bad({ n_node_samples: [4, 1, 3, 1, 1] }),
      bad({ missing_go_to_left: [1, 0, 1, 0, 0] }),
      isolationForestOf({ ...document, trees: [{ ...tree, missing_go_to_left: [0, 0, 2, 0, 0] }] }),
    ];
    assert.deepEqual(texts, [
      "a forest is an object",
      "a forest is an object",
      "trees must be a list of at least one tree",
      "columns must be a whole number, at least 1",
      "max_samples must be a whole number, at least 1",
      "trees[0].n_node_samples[0] is 4: from 1 to max_samples, 3, are possible",
      "offset must be a number from -1 to 0",
      "scaler is no property of a forest",
      "trees[1].feature is no list of numbers",
      "trees[1] has the unknown property features",
      "trees[1].threshold[2] is no number",
      "trees[1].threshold has 4 items, feature has 5",
      "trees[1].feature[2] is 2, but columns is 2",
      "trees[1].children_left[2] is 2: a child comes after its node, and the last is 4",
      "trees[1].children_right[2] is 5: a child comes after its node, and the last is 4",
      "trees[1].children_right[0] is 1, which has another parent",
      "trees[1].children_left[2] is -1: a child comes after its node, and the last is 4",
      "trees[1] has node 1, which is nobody's child",
      "trees[1].n_node_samples[2] is not the sum of its children's",
      "missing_go_to_left must be in all trees or in none",
      "trees[0].missing_go_to_left[2] is 2: 0 or 1 are possible",
    ]);
  });

  it("never throw, whatever the document", () => {
    const node = fc.integer({ min: -2, max: 6 });
    const nodes = fc.array(node, { minLength: 1, maxLength: 6 });
    const anyTree = fc.oneof(
      fc.jsonValue(),
      fc.record({
        children_left: nodes,
        children_right: nodes,
        feature: nodes,
        threshold: fc.array(fc.double(), { minLength: 1, maxLength: 6 }),
        n_node_samples: nodes,
      }),
      fc.constant(tree),
    );
    const anyDocument = fc.oneof(
      fc.jsonValue(),
      fc.record({
        columns: node,
        max_samples: node,
        offset: fc.constantFrom(-0.5, 1),
        trees: fc.array(anyTree),
      }),
    );
    fc.assert(
      fc.property(anyDocument, (json) => {
        const forest = isolationForestOf(json);
        if (typeof forest === "string") return;
        const score = isolationScore(forest, new Float64Array(forest.columns), 0);
        assert.ok(score > 0 && score <= 1);
      }),
      { seed: 1, numRuns: 3000 },
    );
  });
});
