import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { readScaling } from "../../services/client/scaling.js";
import { MillraceError } from "../../services/shared/errors.js";

describe("readScaling", () => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-scaling-"));
  after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "fits.json");
  const fittedOn = { columns: ['cpu{mode="idle"}'], fromMs: 1, toMs: 9 };
  const write = (entity: object, columns: readonly string[], fit: object) => {
    const one = { entity, of: "value", fit: { version: 1, fittedOn: { ...fittedOn, columns }, ...fit } };
    writeFileSync(file, JSON.stringify({ version: 1, fits: [one] }));
    return readScaling(file);
  };
  const robust = { scaler: "robust", columns: [{ count: 5, centre: 10, scale: 4 }] };

  it("scales a value of a row, and brings it back, whatever the order of the entity's labels", () => {
    const { scale, inverse } = write({ job: "api", az: "b" }, fittedOn.columns, robust);
    const of = [{ az: "b", job: "api" }, 'cpu{mode="idle"}', "value"] as const;
    assert.equal(scale(...of, 12), 0.5);
    assert.equal(inverse(...of, 0.5), 12);
    assert.equal(inverse(...of, NaN), null);
    assert.equal(inverse({ job: "api" }, of[1], "value", 1), null);
    assert.equal(inverse(of[0], "cpu{}", "value", 1), null);
    assert.equal(inverse(of[0], of[1], "rate", 1), null);
    const column = { count: 5, minimum: 2, maximum: 6, scale: 0.25, shift: -0.5 };
    const minMax = write(of[0], fittedOn.columns, { scaler: "min_max", columns: [column] });
    assert.equal(minMax.inverse(...of, 1), 6);
  });

  it("tells what is no file of fits", () => {
    writeFileSync(file, "no JSON");
    for (const name of [file, join(folder, "none.json")])
      assert.throws(
        () => readScaling(name),
        (error) =>
          error instanceof MillraceError && error.code === "FITS_UNREADABLE" && error.message.includes(name),
      );
  });

  it("does what docs/fitted-elsewhere.md shows, imported as another program does", () => {
    const example = "test/client/scaling-example.ts";
    const shown = readFileSync("docs/fitted-elsewhere.md", "utf8").split(`<!-- ${example} -->`)[1];
    assert.ok(shown.trim().startsWith(`\`\`\`ts\n${readFileSync(example, "utf8")}\`\`\``));
    write({ job: "api" }, ["cpu{}"], robust);
    const printed = execFileSync(process.execPath, ["dist/test/client/scaling-example.js", file]);
    assert.equal(String(printed), "16\n");
  });
});
