import assert from "node:assert/strict";
import { it } from "node:test";
import { compileTypes } from "../../../services/processor/rules/value-types.js";
import { seriesOf } from "./rule-frames.js";

it("a series' text is read as the first entry that matches it says, and as a number without one", () => {
  const typeOf = compileTypes({
    waits: { match: '{__name__=~".+_wait"}', as: "duration" },
    all_of_disks: { match: '{device=~"sd.*"}', as: "bytes" },
  });
  const cases: [string, string][] = [
    ["disk_wait", "duration"],
    ['disk_wait{device="sda"}', "duration"],
    ['disk_size{device="sda"}', "bytes"],
    ['disk_size{device="nvme0"}', "number"],
  ];
  for (const [series, type] of [...cases, ...cases]) assert.equal(typeOf(seriesOf(series)), type, series);
});
