import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  parseAnswer,
  parseLabelSets,
  parseMatrix,
  parseMetadata,
  parseValue,
} from "../../services/poller/prometheus-answer.js";

const badResponse = { code: "PROM_BAD_RESPONSE" };
const everything = { from: -Infinity, to: Infinity };

function matrix(values: unknown, metric: unknown = { __name__: "a" }) {
  return { resultType: "matrix", result: [{ metric, values }] };
}

describe("parseValue", () => {
  it("reads what Prometheus prints, to the bit", () => {
    for (const [text, value] of [
      ["NaN", NaN],
      ["+Inf", Infinity],
      ["-Inf", -Infinity],
      ["-0", -0],
      ["0", 0],
      ["1e-07", 1e-7],
      ["1.7976931348623157e+308", Number.MAX_VALUE],
      ["5e-324", Number.MIN_VALUE],
    ] as const)
      assert.ok(Object.is(parseValue(text), value), text);
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) =>
        Object.is(parseValue(Object.is(value, -0) ? "-0" : String(value)), value),
      ),
    );
  });

  it("refuses what is no number", () => {
    for (const text of ["", "abc", "1,5", "1 2"]) assert.throws(() => parseValue(text), badResponse, text);
  });
});

describe("parseMatrix", () => {
  it("turns seconds with decimals into whole milliseconds", () => {
    const { series } = parseMatrix(
      matrix([
        [0.001, "1"],
        [1435781430.781, "2"],
        [1760000000, "3"],
        [1760000000.001, "4"],
      ]),
      everything,
    );
    assert.deepEqual([...series[0].timestamps], [1, 1435781430781, 1760000000000, 1760000000001]);
    assert.deepEqual([...series[0].values], [1, 2, 3, 4]);
  });

  it("is right-closed, whether or not Prometheus counts the left edge in", () => {
    const { series } = parseMatrix(
      matrix([
        [1, "1"],
        [1.001, "2"],
        [2, "3"],
        [2.001, "4"],
      ]),
      {
        from: 1_000,
        to: 2_000,
      },
    );
    assert.deepEqual([...series[0].timestamps], [1_001, 2_000]);
    assert.deepEqual(parseMatrix(matrix([[1, "1"]]), { from: 1_000, to: 2_000 }).series, []);
  });

  it("keeps labels with any characters", () => {
    const metric = { __name__: "a", "new\nline": 'ä\u0000"\\', path: "" };
    assert.deepEqual(parseMatrix(matrix([[1, "1"]], metric), everything).series[0].labels, metric);
  });

  it("tells when there are native histograms in the window, and leaves them out", () => {
    const row = {
      metric: { __name__: "h" },
      histograms: [
        [1, {}],
        [2, {}],
      ],
    };
    const data = { resultType: "matrix", result: [row] };
    assert.deepEqual(parseMatrix(data, everything), {
      series: [],
      histograms: [{ labels: row.metric, timestamps: [1_000, 2_000] }],
    });
    assert.deepEqual(parseMatrix(data, { from: 1_000, to: 2_000 }).histograms[0].timestamps, [2_000]);
  });

  it("refuses every other shape", () => {
    for (const data of [
      null,
      { resultType: "vector", result: [] },
      { resultType: "matrix", result: {} },
      { resultType: "matrix", result: [null] },
      matrix([[1, "1"]], { __name__: 1 }),
      matrix([[1, "1"]], null),
      matrix({}),
      matrix([["1", "1"]]),
      matrix([[1, 1]]),
      matrix([[1]]),
      matrix([[null, "1"]]),
      matrix([
        [2, "1"],
        [1, "1"],
      ]),
      matrix([
        [1, "1"],
        [1, "1"],
      ]),
    ])
      assert.throws(() => parseMatrix(data, everything), badResponse, JSON.stringify(data));
  });
});

describe("parseAnswer", () => {
  it("gives the data of a success", () => {
    assert.deepEqual(parseAnswer('{"status":"success","data":[1],"infos":["a remark"],"warnings":[]}'), [1]);
  });

  it("refuses warnings: something was not read", () => {
    assert.throws(() => parseAnswer('{"status":"success","data":[],"warnings":["no block"]}'), {
      code: "PROM_INCOMPLETE",
      message: /no block/,
    });
  });

  it("refuses text that is no answer of the API", () => {
    for (const text of [
      "",
      "<html>",
      '{"status":"success"',
      '{"status":"success"}',
      "[]",
      "null",
      '{"data":1}',
    ])
      assert.throws(() => parseAnswer(text), badResponse, text);
  });
});

describe("parseMetadata and parseLabelSets", () => {
  it("take the first type of each family", () => {
    const families = parseMetadata({ a: [{ type: "gauge" }, { type: "counter" }], b: [{ type: "counter" }] });
    assert.deepEqual(
      [...families],
      [
        ["a", "gauge"],
        ["b", "counter"],
      ],
    );
  });

  it("refuse every other shape", () => {
    for (const data of [null, [], { a: [] }, { a: [{}] }, { a: 1 }])
      assert.throws(() => parseMetadata(data), badResponse);
    for (const data of [null, {}, [null], [{ a: 1 }]]) assert.throws(() => parseLabelSets(data), badResponse);
  });
});
