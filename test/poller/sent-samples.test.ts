import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { toFrames } from "../../services/poller/frames.js";
import { createSentSamples } from "../../services/poller/sent-samples.js";
import { settledUntil } from "../../services/poller/window.js";
import type { RawFrame } from "../../services/shared/frame.js";
import { internEntity, internSeries } from "../../services/shared/series.js";

const entity = internEntity({ job: "a" });
const seriesOf = (index: number) => internSeries(`m${index}`, { job: "a" }, "gauge");

describe("createSentSamples", () => {
  it("remembers what was sent beyond the watermark, and forgets the rest", () => {
    const sent = createSentSamples();
    const series = seriesOf(0);
    const add = (timestamps: number[]) => {
      const run = { entity, series, timestamps, values: timestamps };
      for (const frame of toFrames([run], { source: "p", ingestedAt: 0, liveAfter: 0 })) sent.add(frame);
    };
    const unsent = (...timestamps: number[]) => sent.unsent(series.key, Float64Array.from(timestamps));
    add([10, 30]);
    add([20]);
    assert.deepEqual(unsent(5, 10, 15, 20, 30, 40), [0, 2, 5]);
    add([10]);
    assert.equal(sent.size(), 3);
    sent.forgetUpTo(20);
    assert.equal(sent.size(), 1);
    assert.deepEqual(unsent(15, 20, 25, 30), [2]);
    add([20]);
    assert.equal(sent.size(), 1);
    sent.forgetUpTo(30);
    assert.equal(sent.size(), 0);
  });

  it("sends every sample once: random overlaps, late appends within the overlap, losses of memory", () => {
    const sample = fc.record({
      series: fc.nat(3),
      timestamp: fc.integer({ min: 1, max: 400 }),
      late: fc.nat(100),
    });
    const poll = fc.record({ step: fc.integer({ min: 1, max: 60 }), restart: fc.boolean() });
    fc.assert(
      fc.property(
        fc.uniqueArray(sample, {
          selector: ({ series, timestamp }) => `${series} ${timestamp}`,
          maxLength: 200,
        }),
        fc.array(poll, { maxLength: 60 }),
        fc.integer({ min: 0, max: 100 }),
        (stored, polls, spare) => {
          const overlap = 100 + spare;
          /** What Kafka holds. */
          const topic: RawFrame[] = [];
          let watermark = 0;
          let sent = createSentSamples();
          const pollAt = (now: number, restart: boolean) => {
            if (restart) {
              sent = createSentSamples();
              sent.forgetUpTo(watermark);
              for (const frame of topic) sent.add(frame);
            }
            const runs = [0, 1, 2, 3].flatMap((index) => {
              const timestamps = stored
                .filter((s) => s.series === index && s.timestamp + s.late <= now)
                .map((s) => s.timestamp)
                .filter((t) => t > watermark && t <= now)
                .sort((a, b) => a - b);
              const unsent = sent.unsent(seriesOf(index).key, Float64Array.from(timestamps));
              const chosen = unsent.map((i) => timestamps[i]);
              return [{ entity, series: seriesOf(index), timestamps: chosen, values: chosen }];
            });
            const frames = toFrames(runs, { source: "p", ingestedAt: now, liveAfter: 0 });
            watermark = settledUntil({ from: watermark, to: now }, watermark, now, overlap);
            topic.push(...frames);
            sent.forgetUpTo(watermark);
            for (const frame of frames) sent.add(frame);
          };
          let now = 0;
          for (const { step, restart } of polls) pollAt((now += step), restart);
          while (now < 600) pollAt((now += 60), false);

          const got = topic.flatMap((frame) => frame.series.map(({ key }) => `${key} ${frame.timestamp}`));
          const expected = stored.map((s) => `${seriesOf(s.series).key} ${s.timestamp}`);
          assert.deepEqual(got.sort(), expected.sort());
        },
      ),
    );
  });
});
