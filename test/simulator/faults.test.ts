import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { faultKinds, faultsAdded, faultsAt, faultsBetween } from "../../services/simulator/faults.js";
import { serviceNames } from "../../services/simulator/graph.js";

const FROM = 1_760_000_000;
const HOUR = 3600;

describe("faultsBetween", () => {
  it("is a function of the seed", () => {
    const list = (seed: number) => faultsBetween(seed, 12, FROM, FROM + 24 * HOUR);
    assert.deepEqual(list(1), list(1));
    assert.notDeepEqual(list(1), list(2));
  });

  it("has the configured number of faults an hour, and none at rate 0", () => {
    for (const rate of [2, 12]) {
      const perHour = faultsBetween(1, rate, FROM, FROM + 500 * HOUR).length / 500;
      assert.ok(Math.abs(perHour - rate) < 0.05 * rate, `${perHour} an hour`);
    }
    assert.deepEqual(faultsBetween(1, 0, FROM, FROM + 500 * HOUR), []);
  });

  it("injects every kind into every service, each for 20 s to 3 minutes", () => {
    const faults = faultsBetween(1, 12, FROM, FROM + 100 * HOUR);
    assert.deepEqual(new Set(faults.map(({ kind }) => kind)), new Set(faultKinds));
    assert.deepEqual(new Set(faults.map(({ service }) => service)), new Set([...serviceNames, "all"]));
    for (const { kind, service, start, end, strength } of faults) {
      assert.equal(service === "all", kind === "missing_scrapes");
      assert.ok(Number.isInteger(start) && end - start >= 20 && end - start <= 180);
      if (kind === "errors") assert.ok(strength > 0 && strength < 1);
      else assert.ok(strength >= 1);
    }
  });

  it("finds the same faults whatever the range they are asked for in", () => {
    const to = FROM + 5 * HOUR;
    const whole = faultsBetween(7, 20, FROM, to);
    assert.ok(whole.length > 50);
    let before = faultsAt(7, 20, FROM);
    const bySecond = [...before];
    for (let second = FROM; second < to; second += 1) {
      const now = faultsAt(7, 20, second);
      assert.deepEqual(
        now,
        whole.filter(({ start, end }) => start <= second && second < end),
      );
      bySecond.push(...faultsAdded(before, now));
      before = now;
    }
    assert.deepEqual(bySecond, whole);
  });
});
