import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { readLabelledFolder } from "./labelled-series.js";

describe("labelled series", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "millrace-labelled-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  const read = (windows: string, csv: string) => {
    writeFileSync(join(folder, "windows.json"), windows);
    writeFileSync(join(folder, "a.csv"), csv);
    return readLabelledFolder(folder);
  };
  const windows = '{"a.csv": [["2014-01-01 00:05:00.000000", "2014-01-01 00:10:00"]]}';

  it("are read with the rows inside an interval labelled, its ends included", () => {
    const rows = ["00:00:00,1", "00:05:00,2.5", "00:10:00,-3e2", "00:10:00,9", "00:15:00,", "00:20:00,4"];
    const csv = ["timestamp,value", ...rows.map((row) => `2014-01-01 ${row}`), ""].join("\r\n");
    const [series] = read(windows, csv);
    const start = Date.UTC(2014, 0, 1);
    assert.deepEqual(series, {
      file: "a.csv",
      timestamps: Float64Array.of(0, 300_000, 600_000, 1_200_000).map((ms) => start + ms),
      values: Float64Array.of(1, 2.5, -300, 4),
      labels: Float64Array.of(0, 1, 1, 0),
      leftOut: 2,
    });
  });

  it("tell what is wrong with which file", () => {
    const csv = "timestamp,value\n2014-01-01 00:00:00,1\n";
    for (const [windowsText, csvText, message] of [
      ["{", csv, /windows\.json is no JSON/],
      ["[]", csv, /windows\.json must be an object/],
      ['{"a.csv": [["2014-01-01"]]}', csv, /windows\.json, a\.csv: must be a list of \[from, to\]/],
      ['{"b.csv": []}', csv, /cannot read .*b\.csv .*: windows\.json names it/],
      [windows, "time,value\n", /a\.csv: the first line must name timestamp and value/],
      [windows, "timestamp,value\nyesterday,1\n", /a\.csv, line 2: no time/],
    ] as const)
      assert.throws(() => read(windowsText, csvText), { message });
    assert.throws(() => readLabelledFolder(join(folder, "none")), {
      message: /cannot read .*windows\.json .*needs a windows\.json/,
    });
  });
});
