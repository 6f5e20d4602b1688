import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type FrameExpression,
  type SampleExpression,
  compileFrameExpression,
  compileSampleExpression,
} from "../../services/shared/config-expression.js";

// What is refused, and with what words, stands in fixtures/config/bad/rules.yaml.

const sample = {
  value: 5,
  metric: "cpu_percent",
  labels: { mode: "idle" },
  metric_type: "gauge",
  timestamp: 1_760_000_000_000n,
};

const holds = (expression: string, variables = sample) =>
  (compileSampleExpression(expression) as SampleExpression).holds(variables);

describe("an expression about a sample", () => {
  it("speaks of its value, metric, labels, type and time", () => {
    assert.equal(holds("value >= 5 && value <= 100.0"), true);
    assert.equal(holds("value > 5.0"), false);
    assert.equal(holds('metric.startsWith("cpu") && labels.mode != "idle"'), false);
    assert.equal(holds('metric_type == "gauge" && timestamp > 1759999999999'), true);
    assert.equal(holds('labels.all(name, name in ["mode", "instance"])'), true);
    assert.equal(holds('metric.matches("^cpu_.*t$")'), true);
  });

  it("that fails, or gives no boolean, has no verdict, and never throws", () => {
    assert.equal(holds('labels.zone == "a"'), null, "a label that is not there");
    assert.equal(holds('has(labels.zone) && labels.zone == "a"'), false);
    assert.equal(holds("dyn(value)"), null);
    assert.equal(holds('metric.matches("(")'), null);
    assert.equal(holds("timestamp / 0 > 1"), null);
    assert.equal(holds("value > 5.0", { ...sample, value: NaN }), false);
  });

  it("of any text is compiled or told why not, and its place with it", () => {
    const near = fc.array(
      fc.constantFrom("value", "labels", "metric", "(", ")", "<", "1.0", '"a"', "&&", "!", ".", "[", "\n"),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          near.map((words) => words.join(" ")),
        ),
        (text) => {
          const compiled = compileSampleExpression(text);
          if (typeof compiled === "string") assert.ok(compiled.length > 5);
          else assert.ok([true, false, null].includes(compiled.holds(sample)));
        },
      ),
      { seed: 1, numRuns: 500 },
    );
  });

  it("that is nested too deeply, or is too long, is refused", () => {
    for (const text of ["(".repeat(100) + "true" + ")".repeat(100), Array(1000).fill("true").join(" && ")]) {
      assert.equal(typeof compileSampleExpression(text), "string");
    }
  });
});

describe("an expression about a frame", () => {
  const compiled = compileFrameExpression(
    'v("free") + v(\'used{kind="all"}\') <= 1.01 * v("total") && v("free") >= 0.0 && timestamp > 0',
  ) as FrameExpression;

  it("tells the selectors that it asks for, each once", () => {
    assert.deepEqual(compiled.selectors, ["free", 'used{kind="all"}', "total"]);
    const inMacro = compileFrameExpression('[v("a"), v("b")].all(x, x > v("c"))') as FrameExpression;
    assert.deepEqual(inMacro.selectors, ["a", "b", "c"]);
  });

  it("is judged on the values of these", () => {
    assert.equal(compiled.holds(Float64Array.of(1, 2, 3), 1n), true);
    assert.equal(compiled.holds(Float64Array.of(1, 2, 2.9), 1n), false);
    assert.equal(compiled.holds(Float64Array.of(1, 2, 3), 0n), false);
  });

  it("does not mix up its values with those of another", () => {
    const other = compileFrameExpression('v("free") > 5.0') as FrameExpression;
    assert.equal(other.holds(Float64Array.of(6), 1n), true);
    assert.equal(compiled.holds(Float64Array.of(1, 2, 3), 1n), true);
    assert.equal(other.holds(Float64Array.of(5), 1n), false);
  });
});
