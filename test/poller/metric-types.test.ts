import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MillraceError } from "../../services/shared/errors.js";
import { createMetricTypes, metricTypeOf } from "../../services/poller/metric-types.js";

const families = new Map([
  ["requests_total", "counter"],
  ["om_requests", "counter"],
  ["load", "gauge"],
  ["seconds", "histogram"],
  ["quantiles", "summary"],
  ["queue_count", "gauge"],
  ["sizes", "gaugehistogram"],
  ["build", "info"],
  ["odd_total", "unknown"],
]);

describe("metricTypeOf", () => {
  for (const [metric, type] of [
    ["requests_total", "counter"],
    ["om_requests_total", "counter"],
    ["om_requests_created", "gauge"],
    ["load", "gauge"],
    ["seconds", "histogram"],
    ["seconds_bucket", "counter"],
    ["seconds_sum", "counter"],
    ["seconds_count", "counter"],
    ["quantiles", "summary"],
    ["quantiles_sum", "counter"],
    ["quantiles_count", "counter"],
    ["queue_count", "gauge"],
    ["sizes_bucket", "gauge"],
    ["sizes_gsum", "gauge"],
    ["build_info", "gauge"],
    ["odd_total", "unknown"],
    ["nobody_knows", "unknown"],
    ["nobody_knows_total", "counter"],
    ["nobody_knows_bucket", "counter"],
    ["nobody_knows_count", "unknown"],
  ] as const)
    it(`${metric}: ${type}`, () => assert.equal(metricTypeOf(metric, families), type));
});

describe("createMetricTypes", () => {
  const signal = new AbortController().signal;

  function fixture() {
    const world = { time: 0, asked: 0, families: new Map<string, string>(), down: false };
    const types = createMetricTypes(
      {
        metadata: () => {
          world.asked++;
          return world.down
            ? Promise.reject(new MillraceError("PROM_UNAVAILABLE", "down"))
            : Promise.resolve(world.families);
        },
      },
      () => world.time,
    );
    return { world, types };
  }

  it("asks for a new metric at once, and for a known one seldom", async () => {
    const { world, types } = fixture();
    world.families.set("load", "gauge");
    await types.learn(["load"], signal);
    world.time += 299_999;
    await types.learn(["load"], signal);
    assert.deepEqual([types.of("load"), world.asked], ["gauge", 1]);
    world.families.set("load", "counter");
    world.time += 1;
    await types.learn(["load"], signal);
    assert.deepEqual([types.of("load"), world.asked], ["counter", 2]);
  });

  it("asks again soon, and then ever less, for one that no target exposes yet", async () => {
    const { world, types } = fixture();
    await types.learn(["load"], signal);
    assert.equal(types.of("load"), "unknown");
    const times: number[] = [];
    for (; world.time < 60_000; world.time += 500) {
      const { asked } = world;
      await types.learn(["load"], signal);
      if (world.asked > asked) times.push(world.time);
    }
    assert.deepEqual(times, [2_000, 6_000, 14_000, 30_000]);
    world.families.set("load", "gauge");
    world.time += 300_000;
    await types.learn(["load"], signal);
    assert.equal(types.of("load"), "gauge");
  });

  it("fails where a type is not known, and does without a refresh where it is", async () => {
    const { world, types } = fixture();
    world.down = true;
    await assert.rejects(types.learn(["load"], signal), { code: "PROM_UNAVAILABLE" });
    world.down = false;
    world.families.set("load", "gauge");
    await types.learn(["load"], signal);
    world.down = true;
    world.time += 300_000;
    await types.learn(["load"], signal);
    assert.equal(types.of("load"), "gauge");
  });
});
