import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { faultsAdded, faultsAt, faultsBetween, injections } from "../../services/simulator/faults.js";

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
    for (const { kind, service } of injections) {
      const share =
        faults.filter((fault) => fault.kind === kind && fault.service === service).length / faults.length;
      assert.ok(
        share > 0.5 / injections.length && share < 2 / injections.length,
        `${kind} ${service}: ${share}`,
      );
    }
    for (const { kind, start, end, strength } of faults) {
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
