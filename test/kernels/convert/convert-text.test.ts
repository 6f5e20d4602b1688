import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { conversionErrors } from "../../../services/kernels/convert/conversion.js";
import { type ValueType, convertText, valueTypes } from "../../../services/kernels/convert/convert-text.js";

/** The number, or the name of the error. */
function read(text: string, type: ValueType): number | string {
  const { value, error } = convertText(text, type);
  if (error !== 0) assert.ok(Number.isNaN(value), `${text}: a failed conversion has a number`);
  return error === 0 ? value : conversionErrors[error];
}

const cases: Record<ValueType, [string, number | string][]> = {
  number: [
    ["12", 12],
    [" -1.50 ", -1.5],
    [".5", 0.5],
    ["5.", 5],
    ["1e-3", 0.001],
    ["+7E2", 700],
    ["NaN", NaN],
    ["-Inf", -Infinity],
    ["Infinity", Infinity],
    ["5e-324", 5e-324],
    ["1e309", "range"],
    ["1e99999999999", "range"],
    ["", "empty"],
    [" \t", "empty"],
    ["twelve", "form"],
    ["0x10", "unit"],
    ["1_000", "unit"],
    ["1,5", "unit"],
    ["12ms", "unit"],
    ["--1", "form"],
    ["1".repeat(401), "unit"],
  ],
  boolean: [
    ["true", 1],
    ["FALSE", 0],
    [" Yes", 1],
    ["no", 0],
    ["On", 1],
    ["off", 0],
    ["1", 1],
    ["0", 0],
    ["2", "form"],
    ["y", "form"],
    ["", "empty"],
  ],
  duration: [
    ["12ms", 0.012],
    ["1h30m", 5400],
    ["1.1m", 66],
    ["0.1s", 0.1],
    ["1d2h3m4s5ms6us7ns", 93_784.005_006_007],
    ["3µs", 3e-6],
    ["3μs", 3e-6],
    ["-1.5s", -1.5],
    ["2w", 1_209_600],
    ["1y", 31_536_000],
    ["12", 12],
    ["0", 0],
    ["30m1h", "unit"],
    ["1s1s", "unit"],
    ["1M", "unit"],
    ["1h30", "unit"],
    ["1e3s", "unit"],
    ["s", "form"],
    ["h1", "form"],
    ["", "empty"],
  ],
  bytes: [
    ["3Gi", 3_221_225_472],
    ["3GiB", 3_221_225_472],
    ["10kB", 10_000],
    ["512B", 512],
    ["512 B", 512],
    ["1.5MiB", 1_572_864],
    ["1288490188800m", 1_288_490_188.8],
    ["1KB", "unit"],
    ["1BB", "unit"],
    ["1KiBi", "unit"],
    ["GiB", "form"],
    ["", "empty"],
  ],
  quantity: [
    ["500m", 0.5],
    ["2k", 2000],
    ["1.5M", 1_500_000],
    ["0.1", 0.1],
    ["100n", 1e-7],
    ["1E", 1e18],
    ["1E3", 1000],
    ["1e3", 1000],
    ["-3Ki", -3072],
    ["1e308Ei", "range"],
    ["2K", "unit"],
    ["2kB", "unit"],
    ["1ki", "unit"],
    ["k", "form"],
    ["1 2", "form"],
    ["", "empty"],
  ],
  ratio: [
    ["85%", 0.85],
    ["0.07%", 0.0007],
    ["12.5 %", 0.125],
    ["0.85", 0.85],
    ["-1%", -0.01],
    ["85m", "unit"],
    ["5%%", "unit"],
    ["%", "form"],
    ["", "empty"],
  ],
};

describe("text of values", () => {
  for (const type of valueTypes) {
    it(`as ${type}`, () => {
      for (const [text, expected] of cases[type]) {
        assert.deepEqual(read(text, type), expected, JSON.stringify(text));
      }
    });
  }

  it("any text has a number or an error, and nothing throws", () => {
    const near = fc.stringMatching(/^[-+]?[0-9.]{0,6}[eE]?[-+0-9]{0,6}[ nukMGTPEiBmshdwyµ%]{0,4}$/);
    fc.assert(
      fc.property(fc.oneof(fc.string(), near), fc.constantFrom(...valueTypes), (text, type) => {
        const { value, error } = convertText(text, type);
        const isNumberText = type === "number" && /nan|inf/i.test(text);
        if (error === 0 && !isNumberText) assert.ok(Number.isFinite(value));
        else if (error !== 0) assert.ok(Number.isNaN(value) && error < conversionErrors.length);
      }),
      { seed: 1, numRuns: 5000 },
    );
  });

  it("of any number gives the number again, bit for bit", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        for (const type of ["number", "duration", "bytes", "quantity", "ratio"] as const) {
          assert.equal(convertText(String(value), type).value, value + 0);
        }
      }),
      { seed: 1, numRuns: 1000 },
    );
  });
});
