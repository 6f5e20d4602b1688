import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { randomStream } from "../../services/kernels/random.js";
import { openOnnxModel } from "../../services/processor/onnx-model.js";
import { MillraceError } from "../../services/shared/errors.js";
import { twoColumns } from "./made-input.js";
import { type Python, type PythonValue, type Table, openPython } from "../oracle/python.js";

describe("ONNX models", () => {
  let python: Python;
  const folder = mkdtempSync(join(tmpdir(), "millrace-onnx-"));
  const path = join(folder, "model.onnx");
  before(() => {
    python = openPython("test/processor/onnx-model.oracle.py");
  });
  after(async () => {
    await python.close();
    rmSync(folder, { recursive: true });
  });
  const random = randomStream(1, "onnx", 0);
  const [rows, columns] = [40, 6];
  const table = (count: number): Float64Array => Float64Array.from({ length: count }, () => 2 * random() - 1);

  for (const [kind, allowed] of [
    ["float32", 1e-6],
    ["float64", 1e-15],
  ] as const) {
    it(`of ${kind} estimate what the same arithmetic gives in numpy`, async () => {
      const [means, weights] = [table(columns), { values: table(columns ** 2), shape: [columns, columns] }];
      await python.call("save_regression", path, kind, means, weights);
      const values = table(rows * columns).map((value) => (random() < 0.2 ? NaN : value));
      values[7] = Infinity;
      const model = await openOnnxModel(path, columns);
      const estimates = await model.estimate(values);
      await model.close();
      const given = { values, shape: [rows, columns] };
      const expected = await python.call<Table>("regression", given, kind, means, weights);
      estimates.forEach((estimate, i) => {
        assert.ok(Math.abs(estimate - expected.values[i]) <= allowed, `${estimate}, ${expected.values[i]}`);
      });
    });
  }

  it("may ask for a mask, and their columns may be free", async () => {
    await python.call("save_mask", path, 3);
    const model = await openOnnxModel(path, 3);
    const estimates = await model.estimate(Float64Array.of(1, NaN, 0, -Infinity, NaN, 5));
    await model.close();
    assert.deepEqual([...estimates], [1, 0, 1, 0, 0, 1]);
  });

  it("of the unit tests are what Python makes of them", async () => {
    await python.call("save_two_columns", path);
    assert.deepEqual(readFileSync(twoColumns), readFileSync(path));
  });

  const shapes = (input: number[], output = input): PythonValue[] => [
    Float64Array.from(input),
    Float64Array.from(output),
  ];
  for (const [what, call, args, message] of [
    [
      "of another number of columns",
      "save_identity",
      ["FLOAT", ...shapes([-1, 4])],
      /values of shape \[i0, 4\]; \[rows, 3\]/,
    ],
    [
      "whose rows are fixed",
      "save_identity",
      ["FLOAT", ...shapes([2, 3])],
      /shape \[2, 3\]; \[rows, 3\] with free rows/,
    ],
    ["of three dimensions", "save_identity", ["FLOAT", ...shapes([-1, 5, 3])], /shape \[i0, 5, 3\]/],
    ["of integers", "save_identity", ["INT64", ...shapes([-1, 3])], /of int64; float32 or float64/],
    ["with a second input that is no mask", "save_two_inputs", [], /inputs a, b; one is expected/],
    ["that answer something else", "save_narrow", [3], /answers a table of \[2, 3\] with \[2, 1\]/],
  ] as const) {
    it(`${what} are refused when they are loaded`, async () => {
      await python.call(call, path, ...args);
      await assert.rejects(openOnnxModel(path, 3), (error) => isError(error, "MODEL_SHAPE", message));
    });
  }

  it("that are missing or broken are told", async () => {
    const missing = join(folder, "none.onnx");
    await assert.rejects(openOnnxModel(missing, 3), (error) =>
      isError(error, "MODEL_UNREADABLE", /none\.onnx/),
    );
    writeFileSync(path, "no model");
    await assert.rejects(openOnnxModel(path, 3), (error) =>
      isError(error, "MODEL_UNREADABLE", /model\.onnx/),
    );
  });
});

function isError(error: unknown, code: string, message: RegExp): boolean {
  assert.ok(error instanceof MillraceError);
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
}
