import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { normal, randomStream } from "../../services/kernels/random.js";

const command = (...args: string[]) =>
  spawnSync(process.execPath, ["dist/test/nab/outliers.nab.js", ...args], { encoding: "utf8" });

describe("the command on labelled series", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "millrace-nab-"));
    const random = randomStream(1, "nab", 0);
    const start = Date.UTC(2014, 0, 1);
    const timeOf = (i: number) => new Date(start + i * 300_000).toISOString().slice(0, 19).replace("T", " ");
    const rows = Array.from(
      { length: 400 },
      (_, i) => `${timeOf(i)},${normal(random) + (i === 300 ? 30 : 0)}`,
    );
    writeFileSync(join(folder, "spike.csv"), ["timestamp,value", ...rows, ""].join("\n"));
    writeFileSync(join(folder, "calm.csv"), ["timestamp,value", ...rows.slice(0, 50)].join("\n"));
    const windows = { "spike.csv": [[timeOf(300), timeOf(300)]], "calm.csv": [] };
    writeFileSync(join(folder, "windows.json"), JSON.stringify(windows));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("prints a table of ROC AUC", () => {
    const { stdout, stderr, status } = command(folder, "--forests", "1", "--window", "6");
    assert.equal(stderr, "");
    assert.equal(status, 0);
    const lines = stdout.split("\n").map((line) => line.trim().split(/  +/).join(" | "));
    assert.deepEqual(lines, [
      "file | rows | anomalous | forest scikit-learn | difference | iqr | z-score | robust z",
      "spike.csv | 400 | 1 | 1.000 | 1.000 | 0.000 | 1.000 | 1.000 | 1.000",
      "calm.csv | 50 | 0 | no AUC: it needs rows of both kinds",
      "mean | 1.000 | 1.000 | 0.000 | 1.000 | 1.000 | 1.000",
      "",
    ]);
  });

  it("says what it is for, and what is wrong", () => {
    assert.match(command("--help").stdout, /Usage: outliers\.nab\.js \[options\] <folder>/);
    const { stderr, status } = command(join(folder, "none"));
    assert.match(stderr, /^cannot read .*windows\.json/);
    assert.equal(status, 1);
    assert.match(command(folder, "--window", "day").stderr, /It must be a number above 0/);
  });
});
