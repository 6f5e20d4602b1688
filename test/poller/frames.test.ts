import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type SeriesRun, entityLabels, toFrames } from "../../services/poller/frames.js";
import { internEntity, internSeries } from "../../services/shared/series.js";

const read = { source: "prometheus", ingestedAt: 99, liveAfter: 1 };

describe("entityLabels", () => {
  it("takes the labels that the series has", () => {
    assert.deepEqual(entityLabels({ job: "a", code: "200" }, ["job", "service"]), { job: "a" });
    assert.deepEqual(entityLabels({ job: "a", service: "" }, ["job", "service"]), { job: "a" });
    assert.deepEqual(entityLabels({}, ["job"]), {});
  });
});

describe("toFrames", () => {
  it("puts what an entity has at one time into one frame, chronologically", () => {
    const a = internEntity({ job: "a" });
    const b = internEntity({ job: "b" });
    const load = internSeries("load", { job: "a" }, "gauge");
    const up = internSeries("up", { job: "a" }, "gauge");
    const other = internSeries("up", { job: "b" }, "gauge");
    const frames = toFrames(
      [
        { entity: b, series: other, timestamps: [2], values: [6] },
        { entity: a, series: load, timestamps: [1, 2], values: [1, NaN] },
        { entity: a, series: up, timestamps: [2, 3], values: [-0, Infinity] },
      ],
      read,
    );
    const frame = (entity: typeof a, timestamp: number, series: (typeof load)[], values: number[]) => ({
      entity,
      timestamp,
      origin: timestamp > 1 ? "live" : "backfill",
      source: "prometheus",
      ingestedAt: 99,
      series,
      values: Float64Array.from(values),
      stale: new Uint8Array(values.length),
    });
    assert.deepEqual(frames, [
      frame(a, 1, [load], [1]),
      frame(a, 2, [load, up], [NaN, -0]),
      frame(b, 2, [other], [6]),
      frame(a, 3, [up], [Infinity]),
    ]);
  });

  it("keeps every sample, once, whatever the runs", () => {
    const runs = fc.uniqueArray(
      fc.record({
        entity: fc.nat(3),
        name: fc.nat(20),
        timestamps: fc.uniqueArray(fc.nat(50)).map((list) => list.sort((x, y) => x - y)),
      }),
      { selector: ({ entity, name }) => `${entity}/${name}` },
    );
    fc.assert(
      fc.property(runs, (list) => {
        const input: SeriesRun[] = list.map(({ entity, name, timestamps }) => ({
          entity: internEntity({ e: String(entity) }),
          series: internSeries(`m${name}`, { e: String(entity) }, "gauge"),
          timestamps,
          values: timestamps.map((t) => t + name / 100),
        }));
        const frames = toFrames(input, read);
        const seen = frames.flatMap((f) =>
          f.series.map((s, i) => `${f.entity.key} ${s.key} ${f.timestamp} ${f.values[i]}`),
        );
        const expected = input.flatMap((r) =>
          Array.from(r.timestamps, (t, i) => `${r.entity.key} ${r.series.key} ${t} ${r.values[i]}`),
        );
        assert.deepEqual(seen.sort(), expected.sort());
        const places = frames.map((f) => `${f.timestamp} ${f.entity.key}`);
        assert.equal(new Set(places).size, places.length);
        for (let i = 1; i < frames.length; i++) assert.ok(frames[i - 1].timestamp <= frames[i].timestamp);
      }),
    );
  });
});
