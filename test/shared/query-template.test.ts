import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { MillraceError } from "../../services/shared/errors.js";
import { fillTemplate, templateProblem } from "../../services/shared/query-template.js";

const rate = 'sum by ({{by}}) (rate(requests_total{job="{{ job }}"}[{{window}}])) > {{limit}}';
const values = { by: "job, code", job: "api", window: "1h30m", limit: "1.5e-3" };

const refuses = (template: string, given: Record<string, string>, reason: RegExp) =>
  assert.throws(
    () => fillTemplate(template, {}, given),
    (error) => error instanceof MillraceError && error.code === "USAGE_INVALID" && reason.test(error.message),
  );

describe("query templates", () => {
  it("have names, durations, numbers and texts put in, the given ones before the defaults", () => {
    assert.equal(
      fillTemplate(rate, { ...values, job: "db" }, { job: "api" }),
      'sum by (job, code) (rate(requests_total{job="api"}[1h30m])) > 1.5e-3',
    );
  });

  it("keep a value within its quotes, whatever it holds", () => {
    const quotes = fc.constantFrom('"', "'");
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), quotes, (value, quote) => {
        const filled = fillTemplate(`up{job=${quote}{{job}}${quote}}`, {}, { job: value });
        const inside = filled.slice(8, -2);
        assert.equal(filled, `up{job=${quote}${inside}${quote}}`);
        // No quote, and no line's end, that is not escaped; and unescaped it is the value.
        assert.doesNotMatch(inside.replaceAll(/\\./gs, ""), new RegExp(`[${quote}\n]`));
        const unescaped = inside.replaceAll(/\\(.)/gs, (_, one: string) => (one === "n" ? "\n" : one));
        assert.equal(unescaped, value);
      }),
      { seed: 1, numRuns: 500 },
    );
    assert.equal(fillTemplate("up{job=~`{{job}}`}", {}, { job: "a\\d" }), "up{job=~`a\\d`}");
    refuses("up{job=~`{{job}}`}", { job: "a`b" }, /cannot stand where `job` is/);
  });

  it("refuse what would change the query's meaning, what is missing, and what they do not have", () => {
    refuses("rate(x[{{window}}])", { window: "5m]) or up[5m" }, /cannot stand where `window` is/);
    refuses("sum by ({{by}}) (x)", { by: "job) (up" }, /cannot stand/);
    refuses("x > {{limit}}", {}, /parameter limit has no value/);
    refuses("x > {{limit}}", { limt: "1" }, /no parameter limt; it has limit/);
  });

  it("are told what is wrong with them, and with their defaults", () => {
    assert.equal(templateProblem(rate, values), null);
    assert.match(templateProblem("x > {{1}}", {})!, /no parameter begins with/);
    assert.match(templateProblem('up{job="{{job}}', {})!, /a quote " is not closed/);
    assert.match(templateProblem("up", { job: "a" })!, /has no parameter `job`/);
    assert.match(templateProblem("x > {{limit}}", { limit: "1 or up" })!, /cannot stand/);
  });
});
