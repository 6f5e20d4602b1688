import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createProgram } from "../../services/cli/program.js";
import { parseConfig } from "../../services/shared/config.js";
import { fitOf, readScalingFits } from "../../services/shared/scaling-fits.js";

const page = readFileSync("docs/fitted-elsewhere.md", "utf8");

function blockAfter(mark: string): string {
  const found = new RegExp(`<!-- ${mark} -->\n+\`\`\`\\w+\n(.*?)\`\`\``, "s").exec(page);
  assert.ok(found !== null, mark);
  return found[1];
}

describe("docs/fitted-elsewhere.md", () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), "millrace-page-"))));
  after(() => rmSync(folder, { recursive: true }));

  it("shows a file of fits that is read, and a configuration that names it", () => {
    const file = join(folder, "fits.json");
    writeFileSync(file, blockAfter("fits"));
    const fits = readScalingFits(file);
    if (typeof fits === "string") assert.fail(fits);
    assert.equal(fitOf(fits, '{job="api"}', "cpu{}", "value")?.scaler, "robust");
    assert.equal(fitOf(fits, '{job="api"}', "cpu{}", "rate"), undefined);
    const config = parseConfig(blockAfter("scaling").replace("fits.json", file), "page.yaml");
    assert.equal(config.transform.scaling?.fits_file.name, file);
  });

  it("gives commands and options that the program has", () => {
    const { commands } = createProgram(() => Promise.resolve());
    const used = [...blockAfter("fit").matchAll(/millrace ([a-z]+) (.*)/g)];
    assert.equal(used.length, 2);
    for (const [, name, rest] of used) {
      const command = commands.find((one) => one.name() === name);
      assert.ok(command !== undefined, name);
      for (const [option] of rest.matchAll(/--[a-z-]+/g))
        assert.ok(
          command.options.some(({ long }) => long === option),
          option,
        );
    }
  });
});
