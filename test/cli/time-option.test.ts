import assert from "node:assert/strict";
import { it } from "node:test";
import { parseTime } from "../../services/cli/time-option.js";

const NOW = Date.parse("2025-10-09T08:00:00Z");

it("reads times as people and programs write them", () => {
  for (const [text, iso] of [
    ["now", "2025-10-09T08:00:00.000Z"],
    ["-24h", "2025-10-08T08:00:00.000Z"],
    ["-1.5h", "2025-10-09T06:30:00.000Z"],
    ["2025-10-09T01:02:03Z", "2025-10-09T01:02:03.000Z"],
    ["2025-10-09T01:02+02:00", "2025-10-08T23:02:00.000Z"],
    ["2025-10-09T01:02:03.004Z", "2025-10-09T01:02:03.004Z"],
    ["2025-10-08", "2025-10-08T00:00:00.000Z"],
    ["1760000000000", "2025-10-09T08:53:20.000Z"],
  ])
    assert.equal(new Date(parseTime(text, "--from", NOW)).toISOString(), iso, text);
});

it("refuses what is none", () => {
  for (const text of ["", "yesterday", "-24", "24h", "2025-13-01", "2025-10-09T01:02:03", "9e99"])
    assert.throws(() => parseTime(text, "--from", NOW), { code: "USAGE_INVALID" }, text);
});
