import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Fault } from "../../services/simulator/faults.js";
import { type SimulatedService, graph, serviceNames } from "../../services/simulator/graph.js";
import { requestRate } from "../../services/simulator/load.js";
import { type Answer, trafficOf } from "../../services/simulator/traffic.js";

const NOON = 1_760_097_600;
const SECONDS = 300;

function fault(kind: Fault["kind"], service: SimulatedService, strength: number): Fault {
  return { kind, service, strength, start: NOON, end: NOON + SECONDS };
}

/** What each service answered in five minutes; empty where it was down. */
function answersUnder(...faults: Fault[]): Record<SimulatedService, Answer[]> {
  const answers = Object.fromEntries(serviceNames.map((name) => [name, [] as Answer[]]));
  for (let second = NOON; second < NOON + SECONDS; second += 1) {
    const traffic = trafficOf(1, second, faults);
    for (const name of serviceNames) answers[name].push(...(traffic[name] ?? []));
  }
  return answers as Record<SimulatedService, Answer[]>;
}

function quantile(answers: Answer[], share: number): number {
  const sorted = answers.map(({ seconds }) => seconds).sort((a, b) => a - b);
  return sorted[Math.floor(share * sorted.length)];
}

function share(answers: Answer[], matches: (answer: Answer) => boolean): number {
  return answers.filter(matches).length / answers.length;
}

const failed = ({ code }: Answer) => code >= 500;
const normal = answersUnder();

describe("traffic without faults", () => {
  it("is a function of seed and second", () => {
    assert.deepEqual(trafficOf(1, NOON, []), trafficOf(1, NOON, []));
    assert.notDeepEqual(trafficOf(1, NOON, []), trafficOf(2, NOON, []));
    assert.notDeepEqual(trafficOf(1, NOON, []), trafficOf(1, NOON + 1, []));
  });

  it("reaches the gateway at the load's rate and each callee at its share", () => {
    let expected = 0;
    for (let second = NOON; second < NOON + SECONDS; second += 1) expected += requestRate(1, second);
    assert.ok(Math.abs(normal.gateway.length - expected) < 4 * Math.sqrt(expected));
    const near = (actual: number, wanted: number) =>
      assert.ok(Math.abs(actual / wanted - 1) < 0.1, `${actual} instead of ${wanted}`);
    near(normal.auth.length, 0.6 * normal.gateway.length);
    near(normal.api.length, normal.gateway.length);
    near(normal.cache.length, normal.api.length);
    near(normal.payments.length, 0.1 * normal.api.length);
    near(normal.db.length, 0.3 * normal.auth.length + 0.35 * normal.api.length + normal.payments.length);
  });

  it("rarely fails, and takes at least as long as its callees", () => {
    for (const name of serviceNames) {
      assert.ok(share(normal[name], failed) < 0.01, name);
      assert.ok(quantile(normal[name], 0.5) > 0.9 * graph[name].ownTime, name);
      assert.ok(quantile(normal[name], 0.9) < graph[name].targetTime, name);
    }
    assert.ok(quantile(normal.gateway, 0.5) > quantile(normal.api, 0.5));
  });
});

describe("a latency fault", () => {
  const slow = answersUnder(fault("latency", "db", 20));

  it("raises the p95 of its service by its factor", () => {
    const factor = quantile(slow.db, 0.95) / quantile(normal.db, 0.95);
    assert.ok(factor > 16 && factor < 25, `${factor}`);
  });

  it("reaches direct and indirect callers, and nobody else", () => {
    for (const name of ["auth", "api", "payments", "gateway"] as const) {
      assert.ok(quantile(slow[name], 0.95) > 1.5 * quantile(normal[name], 0.95), name);
    }
    const cacheChange = quantile(slow.cache, 0.95) / quantile(normal.cache, 0.95);
    assert.ok(Math.abs(cacheChange - 1) < 0.1, `${cacheChange}`);
  });

  it("runs into the callers' timeouts when it is great: 504, no later than the timeout allows", () => {
    const stuck = answersUnder(fault("latency", "db", 1000));
    assert.ok(share(stuck.payments, ({ code }) => code === 504) > 0.9);
    assert.ok(share(stuck.gateway, ({ code }) => code === 502) > 0.3);
    assert.ok(stuck.payments.every(({ seconds }) => seconds < 0.5 + 20 * graph.payments.ownTime));
    assert.ok(share(stuck.db, failed) < 0.01);
  });
});

describe("an error fault", () => {
  const failing = answersUnder(fault("errors", "auth", 0.5));

  it("raises the share of 500 of its service to its strength", () => {
    assert.ok(Math.abs(share(failing.auth, ({ code }) => code === 500) - 0.5) < 0.05);
  });

  it("makes callers answer 502, in the share of requests that make the call", () => {
    assert.ok(Math.abs(share(failing.gateway, ({ code }) => code === 502) - 0.6 * 0.5) < 0.05);
    assert.ok(share(failing.api, failed) < 0.01);
  });

  it("keeps load from the services that would have been called after", () => {
    assert.ok(failing.api.length < 0.8 * normal.api.length);
  });
});

describe("a crash", () => {
  it("leaves the service without answers, its callers with 503", () => {
    const down = answersUnder(fault("crash", "db", 1));
    assert.equal(trafficOf(1, NOON, [fault("crash", "db", 1)]).db, null);
    assert.equal(
      share(down.payments, ({ code }) => code === 503 || code === 500),
      1,
    );
    assert.ok(Math.abs(share(down.auth, ({ code }) => code === 503) - 0.3) < 0.05);
    assert.ok(share(down.gateway, ({ code }) => code === 502) > 0.3);
  });

  it("of the cache is survived by asking the database always", () => {
    const down = answersUnder(fault("crash", "cache", 1));
    assert.ok(share(down.api, failed) < 0.01);
    assert.ok(down.db.length > 1.5 * normal.db.length);
  });

  it("of the gateway stops all traffic", () => {
    const down = answersUnder(fault("crash", "gateway", 1));
    for (const name of serviceNames) assert.equal(down[name].length, 0);
  });
});
