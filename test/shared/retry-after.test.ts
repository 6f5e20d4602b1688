import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { retryAfterMs } from "../../services/shared/retry-after.js";

const now = Date.parse("2026-11-24T12:00:00Z");

describe("retryAfterMs", () => {
  it("reads seconds and dates, never a time before now", () => {
    assert.equal(retryAfterMs("120", now), 120_000);
    assert.equal(retryAfterMs(" 0 ", now), 0);
    assert.equal(retryAfterMs("Tue, 24 Nov 2026 12:01:30 GMT", now), 90_000);
    assert.equal(retryAfterMs("Tue, 24 Nov 2026 11:00:00 GMT", now), 0);
  });

  it("reads nothing from what is neither", () => {
    for (const header of [undefined, "", "soon", "-5", "1.5e", ["1", "2"]])
      assert.equal(retryAfterMs(header, now), undefined);
  });
});
