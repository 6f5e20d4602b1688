import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  MIN_WINDOW_MS,
  liveAfter,
  longerLimit,
  nextPollAt,
  nextWindow,
  settledUntil,
  shorterLimit,
} from "../../services/poller/window.js";

describe("nextWindow", () => {
  it("reads up to now, or as far as the limit goes", () => {
    assert.deepEqual(nextWindow(1_000, 5_000, 300_000), { from: 1_000, to: 5_000 });
    assert.deepEqual(nextWindow(1_000, 5_000, 1_500), { from: 1_000, to: 2_500 });
  });

  it("has nothing to read when the clock stands behind", () => {
    assert.equal(nextWindow(5_000, 5_000, 1_000), null);
    assert.equal(nextWindow(5_001, 5_000, 1_000), null);
  });

  it("covers a downtime without gap or overlap, in order", () => {
    fc.assert(
      fc.property(fc.nat(1e7), fc.nat(1e7), fc.integer({ min: 1, max: 1e6 }), (start, length, limit) => {
        fc.pre(length / limit < 10_000);
        let readUntil = start;
        for (let window; (window = nextWindow(readUntil, start + length, limit)) !== null;) {
          assert.equal(window.from, readUntil);
          assert.ok(window.to > window.from && window.to - window.from <= limit);
          readUntil = window.to;
        }
        assert.equal(readUntil, start + length);
      }),
    );
  });
});

describe("settledUntil", () => {
  it("is the window's end where that is older than the overlap", () => {
    assert.equal(settledUntil({ from: 0, to: 10_000 }, 0, 100_000, 15_000), 10_000);
  });

  it("stays the overlap behind the time of asking: what is newer may be stored yet", () => {
    assert.equal(settledUntil({ from: 80_000, to: 100_000 }, 80_000, 100_000, 15_000), 85_000);
  });

  it("never goes back", () => {
    assert.equal(settledUntil({ from: 90_000, to: 100_000 }, 90_000, 100_000, 15_000), 90_000);
    assert.equal(settledUntil({ from: 90_000, to: 100_000 }, 90_000, 20_000, 15_000), 90_000);
  });

  it("does not pass over what an earlier window left unsettled", () => {
    assert.equal(settledUntil({ from: 97_000, to: 100_000 }, 85_000, 100_000, 15_000), 85_000);
  });
});

describe("liveAfter", () => {
  it("leaves room for the overlap and a delayed poll", () => {
    assert.equal(liveAfter(100_000, 1_000, 15_000), 83_000);
  });
});

describe("nextPollAt", () => {
  it("keeps the phase and is always later", () => {
    assert.equal(nextPollAt(10_000, 1_000), 11_000);
    assert.equal(nextPollAt(10_001, 1_000), 11_000);
    assert.equal(nextPollAt(10_999, 1_000), 11_000);
  });
});

describe("limits", () => {
  it("halve, down to the least window, and grow back to the most", () => {
    assert.equal(shorterLimit({ from: 0, to: 300_000 }), 150_000);
    assert.equal(shorterLimit({ from: 0, to: 1_500 }), MIN_WINDOW_MS);
    let limit = MIN_WINDOW_MS;
    for (let i = 0; i < 100; i++) limit = longerLimit(limit, 300_000);
    assert.equal(limit, 300_000);
  });
});
