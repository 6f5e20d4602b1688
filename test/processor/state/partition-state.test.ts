import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RawFrame } from "../../../services/shared/frame.js";
import {
  openPartitionState,
  rewindOf,
  stateSize,
} from "../../../services/processor/state/partition-state.js";
import { run } from "../emitted-rows.js";
import { START_MS, frameOf, plan } from "../made-input.js";

const at = (entity: number, tick: number, series = 0): RawFrame =>
  frameOf({ entity, tick, samples: [{ series, type: "gauge", value: tick, stale: false }] });

const rewindAfter = async (frames: readonly RawFrame[]) => {
  const state = openPartitionState();
  await run(frames, { plan, state });
  return rewindOf(state, plan);
};

describe("rewindOf", () => {
  it("is null before the first frame", () => {
    assert.equal(rewindOf(openPartitionState(), plan), null);
  });

  it("is the first frame that the oldest memory came with, and the watermark before it", async () => {
    // 200 ticks; the state reaches 60 back, and marks lie 7.5 apart.
    const frames = Array.from({ length: 200 }, (_, tick) => at(0, tick));
    const { offset, watermark } = (await rewindAfter(frames))!;
    assert.ok(offset <= 140 && offset >= 131, String(offset));
    assert.equal(watermark, START_MS + (offset - 1) * 1000);
  });

  it("does not reach before a silence whose other side is forgotten", async () => {
    assert.equal((await rewindAfter([at(0, 0), at(0, 1), at(0, 100), at(0, 101)]))!.offset, 2);
  });

  it("goes as far back as the entity that lies furthest behind asks for, and no further for one that is forgotten", async () => {
    const behind = [at(0, 500), at(1, 0), at(0, 530), at(1, 1), at(0, 560), at(1, 2), at(0, 600)];
    assert.equal((await rewindAfter(behind))!.offset, 1);
    assert.equal((await rewindAfter([...behind, at(0, 621)]))!.offset, 6);
  });
});

describe("memory", () => {
  it("is freed of series and entities that come no more", async () => {
    const state = openPartitionState();
    // Every tick a new entity, and in one that stays a new series.
    const frames = Array.from({ length: 1_000 }, (_, tick) => [
      at(1000 + tick, tick),
      at(0, tick, tick),
    ]).flat();
    await run(frames, { plan, state });
    const { series, samples } = stateSize(state);
    // What the state reaches back to, and a quarter of that until it is looked for again.
    assert.ok(state.entities.size <= 62 + 15, `${state.entities.size} entities`);
    assert.ok(series <= 2 * (61 + 16), `${series} series`);
    assert.ok(samples <= 2 * (61 + 16), `${samples} samples`);
  });

  it("of an entity that went silent has no influence, whether it was freed or not", async () => {
    const meanAfter = async (...ticks: number[]) => {
      const others = ticks.map((tick) => at(0, tick));
      const { emitted } = await run([at(1, 0), at(0, 0), ...others, at(1, 2)], { plan });
      return emitted[emitted.length - 1].features[plan.columns.indexOf("mean_10s")];
    };
    assert.equal(await meanAfter(50, 60), 1, "remembered");
    assert.equal(await meanAfter(61), 2, "freed");
    assert.equal(await meanAfter(50, 61), 2, "not freed yet");
  });
});
