import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import {
  anchored,
  matchProblem,
  parseSelector,
  selectorProblem,
} from "../../services/shared/config-selector.js";

// Sound and unsound forms stand in fixtures/config/good/selectors.yaml and bad/selectors.yaml.

const blank = fc.constantFrom("", " ", "\n  ");
const label = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/).filter((name) => name !== "__name__");
const quoted = fc.oneof(
  fc.string().map((text) => JSON.stringify(text)),
  fc.stringMatching(/^[^'\\\n]{0,12}$/).map((text) => `'${text}'`),
  fc.stringMatching(/^[^`]{0,12}$/).map((text) => `\`${text}\``),
);
const matcher = fc
  .tuple(blank, label, blank, fc.constantFrom("=", "!=", "=~", "!~"), blank, quoted, blank)
  .map((parts) => parts.join(""));
const matchers = fc
  .tuple(fc.array(matcher, { maxLength: 4 }), fc.boolean())
  .map(([list, comma]) => `{${list.join(",")}${comma && list.length > 0 ? "," : ""}}`);
const metric = fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,12}$/);

it("every metric with matchers is a selector, and no longer is with a range, an offset or a time after it", () => {
  const bare = fc.tuple(metric, blank, fc.option(matchers, { nil: "" })).map((parts) => parts.join(""));
  fc.assert(
    fc.property(bare, fc.constantFrom("[5m]", " offset 5m", " @ 1", " + 1", ")", "{"), (selector, tail) => {
      assert.equal(selectorProblem(selector), null);
      assert.notEqual(selectorProblem(selector + tail), null);
      assert.notEqual(selectorProblem(`sum(${selector})`), null);
    }),
    { seed: 20261124 },
  );
});

it("any text is a selector or told why not", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a{}="'`~!,\\ [\]()@]{0,16}$/)), (text) => {
      const problem = selectorProblem(text);
      assert.ok(problem === null || problem.length > 10);
    }),
    { seed: 20261124, numRuns: 1000 },
  );
});

it("a selector's conditions are those that are written, the metric's name among them", () => {
  assert.deepEqual(parseSelector('up{job="a\\n", b!~`\\w`, "c d"=~\'x\'}'), [
    { label: "__name__", operator: "=", value: "up" },
    { label: "job", operator: "=", value: "a\n" },
    { label: "b", operator: "!~", value: "\\w" },
    { label: "c d", operator: "=~", value: "x" },
  ]);
  assert.deepEqual(parseSelector('{"a.b"}'), [{ label: "__name__", operator: "=", value: "a.b" }]);
  assert.equal(typeof parseSelector("sum(up)"), "string");
});

it("a selector that Millrace matches by has regular expressions that JavaScript knows", () => {
  assert.equal(matchProblem('{a=~"(?i)x.*"}'), null);
  assert.match(matchProblem('{a="(", b=~"("}')!, /^"\(" is no regular expression/);
  assert.match(matchProblem("{")!, /closing brace/);
  assert.ok(anchored("(?i)a.b")!.test("A\nB"));
  assert.ok(!anchored("a|b")!.test("ab"));
});
