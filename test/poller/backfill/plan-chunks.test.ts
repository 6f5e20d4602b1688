import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { planChunks } from "../../../services/poller/backfill/plan-chunks.js";
import { groupChunks } from "../../../services/poller/backfill/plan-stretch.js";

const counts = (stepMs: number, ...list: number[]) => ({
  stepMs,
  counts: new Map(list.map((count, i) => [(i + 1) * stepMs, count])),
});
const text = (chunks: ReturnType<typeof planChunks>) =>
  chunks.map(({ from, to, expected }) => `${from}-${to}: ${expected}`);

describe("planChunks", () => {
  it("joins steps up to the limit, and divides those above it evenly", () => {
    const chunks = planChunks({ from: 0, to: 40_000 }, counts(10_000, 40, 60, 250, 10), 100, []);
    assert.deepEqual(text(chunks), ["0-20000: 100", "20000-23333: 84", "23333-26667: 84", "26667-40000: 94"]);
  });

  it("takes a part of a step for its share of it, and does not span cuts", () => {
    const chunks = planChunks({ from: 5_000, to: 25_000 }, counts(10_000, 40, 60, 80), 1_000, [12_000]);
    assert.deepEqual(text(chunks), ["5000-12000: 32", "12000-25000: 88"]);
  });

  it("is one chunk of nothing where nothing is, however long", () => {
    assert.deepEqual(text(planChunks({ from: 0, to: 86_400_000 }, counts(60_000), 10, [])), [
      "0-86400000: 0",
    ]);
  });

  it("covers any window from end to end, within the limit, and misses nothing", () => {
    fc.assert(
      fc.property(
        fc.record({
          from: fc.integer({ min: 0, max: 30_000 }),
          length: fc.integer({ min: 1, max: 60_000 }),
          stepMs: fc.constantFrom(1_000, 5_000, 7_000),
          list: fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 500 })), { maxLength: 100 }),
          samplesMax: fc.integer({ min: 1, max: 300 }),
          cuts: fc.array(fc.integer({ min: 0, max: 90_000 }), { maxLength: 5 }),
        }),
        ({ from, length, stepMs, list, samplesMax, cuts }) => {
          const window = { from, to: from + length };
          const steps = counts(stepMs, ...list);
          const chunks = planChunks(window, steps, samplesMax, cuts);
          assert.equal(chunks[0].from, window.from);
          assert.equal(chunks[chunks.length - 1].to, window.to);
          chunks.forEach((chunk, i) => {
            assert.ok(chunk.to > chunk.from);
            if (i > 0) assert.equal(chunk.from, chunks[i - 1].to);
            assert.ok(chunk.expected <= samplesMax || chunk.to - chunk.from < 2_000);
            assert.ok(!cuts.some((cut) => cut > chunk.from && cut < chunk.to));
            // Where there may be a sample, something is expected.
            const [first, last] = [chunk.from + 1, chunk.to].map((ms) => Math.ceil(ms / stepMs));
            const any = list.slice(first - 1, last).some((count) => count > 0);
            assert.equal(chunk.expected > 0, any);
          });
        },
      ),
      { seed: 2, numRuns: 1000 },
    );
  });
});

describe("groupChunks", () => {
  const chunk = (expected: number) => ({ from: 0, to: 1, expected });

  it("groups what is within the limit together, in order, and a larger one alone", () => {
    const groups = groupChunks([3, 4, 3, 9, 20, 1].map(chunk), 10);
    assert.deepEqual(
      groups.map((group) => group.map(({ expected }) => expected)),
      [[3, 4, 3], [9], [20], [1]],
    );
    assert.deepEqual(groupChunks([], 10), []);
  });
});
