import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { toFrames } from "../../services/poller/frames.js";
import { deliveries } from "../../services/poller/send-window.js";
import { partitionOf } from "../../services/shared/kafka.js";
import { internEntity, internSeries } from "../../services/shared/series.js";

const target = { topic: "metrics.raw", partitions: 4, schemaId: 7, watermark: 1_000 };

function framesAt(...times: number[]) {
  const entity = internEntity({ job: "a" });
  return times.flatMap((time, i) =>
    toFrames([{ entity, series: internSeries(`m${i}`, {}, "gauge"), timestamps: [time], values: [1] }], {
      source: "prometheus",
      ingestedAt: 0,
      liveAfter: 0,
    }),
  );
}

describe("deliveries", () => {
  it("moves the watermark where there is nothing to send", () => {
    assert.deepEqual([...deliveries([], target)], [{ messages: [], watermark: 1_000 }]);
  });

  it("names partition, key and event time of each message", () => {
    const [{ messages }] = [...deliveries(framesAt(5), target)];
    const { value, ...rest } = messages[0];
    assert.deepEqual(rest, {
      topic: "metrics.raw",
      partition: partitionOf('{job="a"}', 4),
      key: '{job="a"}',
      timestamp: 5,
    });
    assert.equal(value?.readUInt32BE(1), 7);
  });

  it("splits a frame that no message can hold", () => {
    const entity = internEntity({ job: "a" });
    const runs = Array.from({ length: 3_000 }, (_, i) => ({
      entity,
      series: internSeries("m", { label: `${i}`.padEnd(400, "x") }, "gauge"),
      timestamps: [5],
      values: [i],
    }));
    const frames = toFrames(runs, { source: "prometheus", ingestedAt: 0, liveAfter: 0 });
    assert.equal(frames.length, 1);
    const [{ messages }] = [...deliveries(frames, target)];
    assert.equal(messages.length, 2);
    for (const { value } of messages) assert.ok(value !== null && value.length <= 900_000);
  });

  it("never moves the watermark to or beyond a frame that is still to come, nor back", () => {
    const times = fc
      .array(fc.integer({ min: 1, max: 1_200 }), { maxLength: 60 })
      .map((list) => list.sort((a, b) => a - b));
    fc.assert(
      fc.property(times, fc.integer({ min: 1, max: 1_000 }), (list, maxBytes) => {
        const sent: number[] = [];
        let before = 0;
        for (const { messages, watermark } of deliveries(framesAt(...list), target, maxBytes)) {
          assert.ok(watermark >= before && watermark <= target.watermark);
          before = watermark;
          sent.push(...messages.map(({ timestamp }) => timestamp));
          for (const rest of list.slice(sent.length)) assert.ok(rest > watermark);
        }
        assert.deepEqual(sent, list);
        assert.equal(before, target.watermark);
      }),
    );
  });
});
