import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type ValueForm,
  changesType,
  formOf,
  valueForms,
} from "../../../services/kernels/convert/type-change.js";

describe("what a value looks like", () => {
  it("is a number in text, too, and nothing where there is no value", () => {
    const cases: [number | boolean | string | null, ValueForm][] = [
      [1, "number"],
      [1.5, "number"],
      ["1.5", "number"],
      ["1", "number"],
      [true, "boolean"],
      ["off", "boolean"],
      ["12ms", "with_unit"],
      ["3GiB", "with_unit"],
      ["85%", "with_unit"],
      ["hello", "text"],
      [null, "none"],
      [NaN, "none"],
      ["-Inf", "none"],
      [" ", "none"],
    ];
    for (const [value, form] of cases) assert.equal(formOf(value), form, String(value));
  });

  it("is told of any text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => assert.ok(valueForms.includes(formOf(text)))),
      { seed: 1 },
    );
  });
});

describe("a change of type", () => {
  const [unknown, gauge, counter] = [0, 1, 2];
  const form = (name: ValueForm) => valueForms.indexOf(name);
  const number = form("number");

  it("is another declared type, or another form; what is not known says nothing", () => {
    assert.ok(changesType(0, gauge, number, 5, counter, number, 100));
    assert.ok(changesType(0, gauge, number, 5, gauge, form("text"), 100));
    assert.ok(!changesType(0, gauge, number, 5, gauge, number, 100));
    assert.ok(!changesType(0, unknown, number, 5, counter, number, 100));
    assert.ok(!changesType(0, counter, number, 5, unknown, number, 100));
    assert.ok(!changesType(0, gauge, form("none"), 5, gauge, form("text"), 100));
  });

  it("is none after a silence as long as the lookback, nor without a sample before", () => {
    assert.ok(changesType(0, gauge, number, 99, counter, number, 100));
    assert.ok(!changesType(0, gauge, number, 100, counter, number, 100));
    assert.ok(!changesType(-Infinity, gauge, number, 100, counter, number, 100));
    assert.ok(!changesType(NaN, gauge, number, 100, counter, number, 100));
  });
});
