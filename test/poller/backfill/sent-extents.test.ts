import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { createSentExtents } from "../../../services/poller/backfill/sent-extents.js";

it("finds live frames in their stretch of the topic, and what was backfilled wherever that lies", () => {
  const extents = createSentExtents({ from: 0, to: 100_000 }, 10);
  for (let i = 1; i <= 100; i++) extents.note(0, i, i * 1_000);
  extents.note(0, 5_000, 20_500);
  extents.note(1, 7, 20_400);
  extents.note(1, 8, 100_001);
  assert.deepEqual(
    extents.within({ from: 20_000, to: 21_000 }),
    new Map([
      [
        0,
        [
          { next: 21n, end: 22n },
          { next: 5_000n, end: 5_001n },
        ],
      ],
      [1, [{ next: 7n, end: 8n }]],
    ]),
  );
  assert.deepEqual(createSentExtents({ from: 0, to: 10 }).within({ from: 0, to: 10 }), new Map());
});

it("misses no message of any window, in ranges that ascend and do not touch", () => {
  const range = { from: 10_000, to: 5_010_000 };
  const message = fc.record({
    partition: fc.integer({ min: 0, max: 2 }),
    skip: fc.integer({ min: 1, max: 40 }),
    timestamp: fc.integer({ min: 0, max: 5_020_000 }),
  });
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 200 }),
      fc.integer({ min: range.from, max: range.to - 1 }),
      fc.integer({ min: 1, max: 2_000_000 }),
      (messages, from, length) => {
        const window = { from, to: Math.min(from + length, range.to) };
        const extents = createSentExtents(range, 20);
        let offset = 0;
        const noted = messages.map(({ partition, skip, timestamp }) => {
          offset += skip;
          extents.note(partition, offset, timestamp);
          return { partition, offset, timestamp };
        });
        const found = extents.within(window);
        for (const { partition, offset: at, timestamp } of noted) {
          if (timestamp <= window.from || timestamp > window.to) continue;
          assert.ok(found.get(partition)?.some(({ next, end }) => BigInt(at) >= next && BigInt(at) < end));
        }
        for (const ranges of found.values())
          ranges.slice(1).forEach(({ next }, i) => assert.ok(next >= ranges[i].end));
      },
    ),
    { seed: 3, numRuns: 500 },
  );
});
