import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRateLimit } from "../../services/poller/rate-limit.js";

describe("createRateLimit", () => {
  const { signal } = new AbortController();

  /** A limit on a clock that only waiting moves. */
  function fixture(perSecond: number) {
    const clock = { now: 0 };
    const waits: number[] = [];
    const take = createRateLimit(
      perSecond,
      () => clock.now,
      (ms) => {
        waits.push(ms);
        clock.now += ms;
        return Promise.resolve();
      },
    );
    return { clock, waits, take };
  }

  it("lets a second's worth through at once, then one for each token", async () => {
    const { clock, waits, take } = fixture(10);
    for (let i = 0; i < 10; i++) await take(signal);
    assert.deepEqual(waits, []);
    for (let i = 0; i < 20; i++) await take(signal);
    assert.equal(clock.now, 2_000);
    clock.now += 60_000;
    waits.length = 0;
    for (let i = 0; i < 10; i++) await take(signal);
    assert.deepEqual(waits, []);
  });

  it("works below one a second", async () => {
    const { clock, take } = fixture(0.1);
    for (let i = 0; i < 4; i++) await take(signal);
    assert.equal(clock.now, 30_000);
  });

  it("stops waiting with the signal", async () => {
    const take = createRateLimit(0.001, Date.now);
    await take(signal);
    const stop = new AbortController();
    const waiting = take(stop.signal);
    stop.abort();
    await assert.rejects(waiting, { name: "AbortError" });
  });
});
