import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bytesText, countText, durationText, secondsText } from "../../services/cli/quantities.js";

describe("quantities", () => {
  it("are counts with separators, then in millions", () => {
    assert.deepEqual([0, 999.6, 12_345, 1_234_567, 2.5e9, null, NaN].map(countText), [
      "0",
      "1,000",
      "12,345",
      "1.23 M",
      "2.50 G",
      "—",
      "—",
    ]);
  });

  it("are durations in the unit that fits, at its borders too", () => {
    assert.deepEqual(
      [0.00084, 0.0119, 0.9996, 1.274, 9.996, 119, 240, 9_000, 267_840, null, Infinity].map(secondsText),
      ["840 µs", "12 ms", "1.00 s", "1.27 s", "10 s", "119 s", "4 min", "2.5 h", "3.1 d", "—", "—"],
    );
  });

  it("are bytes in megabytes, and durations of the configuration in whole units", () => {
    assert.deepEqual([95e6, 2.2e9, null].map(bytesText), ["95 MB", "2.20 GB", "—"]);
    assert.deepEqual([2_592_000_000, 5_400_000, 90_000, 1_500].map(durationText), [
      "30 d",
      "90 min",
      "90 s",
      "1500 ms",
    ]);
  });
});
