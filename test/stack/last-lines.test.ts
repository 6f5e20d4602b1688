import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { bytesOf, lastLines } from "../../services/stack/last-lines.js";

describe("lastLines", () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "millrace-lines-"));
    file = join(folder, "a.log");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("leaves out blank lines, and takes a last one without an end", () => {
    writeFileSync(file, "one\n\n  \ntwo\nthree");
    assert.deepEqual(lastLines(file), ["one", "two", "three"]);
  });

  it("leaves out what was there before", () => {
    writeFileSync(file, "old\n");
    const from = bytesOf(file);
    assert.deepEqual(lastLines(file, from), []);
    appendFileSync(file, "new\n");
    assert.deepEqual(lastLines(file, from), ["new"]);
  });

  it("takes all of a file that was begun anew", () => {
    writeFileSync(file, "long ago, and much of it\n");
    const from = bytesOf(file);
    writeFileSync(file, "anew\n");
    assert.deepEqual(lastLines(file, from), ["anew"]);
  });

  it("reads no more than the end of a large file, in whole lines", () => {
    writeFileSync(file, Array.from({ length: 100_000 }, (_, i) => `line ${i} wörtlich\n`).join(""));
    const lines = lastLines(file);
    assert.equal(lines.at(-1), "line 99999 wörtlich");
    assert.ok(lines.length > 100 && lines.length < 2_000, String(lines.length));
    for (const line of lines) assert.match(line, /^line \d+ wörtlich$/);
  });

  it("has none of what cannot be read", () => {
    assert.deepEqual(lastLines(join(folder, "nowhere.log")), []);
    assert.deepEqual(lastLines(folder), []);
    assert.equal(bytesOf(join(folder, "nowhere.log")), 0);
  });
});
