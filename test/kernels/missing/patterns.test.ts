import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { classifyMissing, missingBits, missingPeriod } from "../../../services/kernels/missing/patterns.js";
import {
  type PresenceTable,
  firstPresences,
  isIncomplete,
  missingShare,
} from "../../../services/kernels/missing/presence.js";
import { randomStream } from "../../../services/kernels/random.js";

const { isolated, run, periodic, whole_frame } = missingBits;

/** Each series as a text of its frames: `x` for a sample, `.` for none. */
function tableOf(...series: string[]): PresenceTable {
  const frames = series[0].length;
  const present = new Uint8Array(frames * series.length);
  series.forEach((text, s) =>
    Array.from(text).forEach((mark, row) => (present[row * series.length + s] = Number(mark === "x"))),
  );
  return { present, frames, width: series.length };
}

function firstsOf(table: PresenceTable): Int32Array {
  const firsts = new Int32Array(table.width + 1);
  firstPresences(table, firsts, 1);
  return firsts;
}

/** The bits of each series, row by row. */
function classified(table: PresenceTable, periodMax = 100): number[][] {
  const out = new Uint8Array(table.frames * table.width + 1).fill(99);
  const count = classifyMissing(table, firstsOf(table), 1, periodMax, out, 1);
  assert.equal(out[0], 99);
  assert.equal(count, out.subarray(1).filter((bits) => bits !== 0).length);
  return Array.from({ length: table.width }, (_, s) =>
    [...out.subarray(1)].filter((__, cell) => cell % table.width === s),
  );
}

describe("how samples are missing", () => {
  it("alone, in a run, and together with all others", () => {
    const [a, b] = classified(tableOf("x.xx..x.", "xxxx..xx"));
    assert.deepEqual(a, [0, isolated, 0, 0, run | whole_frame, run | whole_frame, 0, isolated]);
    assert.deepEqual(b, [0, 0, 0, 0, run | whole_frame, run | whole_frame, 0, 0]);
  });

  it("not before the first sample, and not where there is none", () => {
    const [late, never, always] = classified(tableOf("..x.x", ".....", "xxxxx"));
    assert.deepEqual(late, [0, 0, 0, isolated, 0]);
    assert.deepEqual(never, [0, 0, 0, 0, 0]);
    assert.deepEqual(always, [0, 0, 0, 0, 0]);
    assert.deepEqual(classified(tableOf("...", "...")), [
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  it("at one phase of a period, alone or in runs", () => {
    const table = tableOf("xxxx.".repeat(8), "xxxxxx...x".repeat(4), "x.".repeat(20));
    const firsts = firstsOf(table);
    assert.deepEqual(
      [0, 1, 2].map((s) => missingPeriod(table, s, firsts[s + 1], 100)),
      [5, 0, 2],
      "a third of all missing four times may be chance",
    );
    const longer = tableOf("xxxxxx...x".repeat(12), "x".repeat(120));
    assert.equal(missingPeriod(longer, 0, 0, 100), 10);
    const [bits] = classified(longer);
    assert.deepEqual(bits.slice(0, 10), [
      0,
      0,
      0,
      0,
      0,
      0,
      run | periodic,
      run | periodic,
      run | periodic,
      0,
    ]);
    assert.deepEqual(classified(table)[0].slice(0, 5), [0, 0, 0, 0, isolated | periodic]);
    assert.equal(missingPeriod(tableOf("xxxx.".repeat(8)), 0, 0, 4), 0, "longer periods are not looked for");
  });

  it("at no period where a series ended, or was away for long", () => {
    for (const text of [
      `x${".".repeat(50)}`,
      `${"x".repeat(30)}${".".repeat(30)}`,
      "x.".repeat(2) + "xxxx",
    ]) {
      const table = tableOf(text);
      assert.equal(missingPeriod(table, 0, 0, 100), 0, text);
    }
  });

  it("at random shows a period in fewer than one of twenty tables", () => {
    let found = 0;
    for (let seed = 1; seed <= 400; seed++) {
      const random = randomStream(seed, "missing", 0);
      const share = 0.02 + 0.6 * random();
      const text = Array.from({ length: 240 }, (_, i) => (i > 0 && random() < share ? "." : "x")).join("");
      if (missingPeriod(tableOf(text), 0, 0, 80) !== 0) found++;
    }
    assert.ok(found < 20, `${found} of 400`);
  });

  it("is told from the table alone, cell by cell, and no input changes", () => {
    const grid = fc
      .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 40 }))
      .chain(([width, frames]) =>
        fc.record({
          width: fc.constant(width),
          frames: fc.constant(frames),
          present: fc.uint8Array({ minLength: width * frames, maxLength: width * frames, max: 1 }),
        }),
      );
    fc.assert(
      fc.property(grid, (table) => {
        const before = [...table.present];
        const bits = classified(table);
        assert.deepEqual([...table.present], before);
        for (let s = 0; s < table.width; s++) {
          const has = Array.from(
            { length: table.frames },
            (_, row) => table.present[row * table.width + s] === 1,
          );
          const first = has.indexOf(true);
          has.forEach((isPresent, row) => {
            const isMissing = !isPresent && first >= 0 && row > first;
            const others = (at: number) => at < table.frames && !has[at];
            const expected = !isMissing ? 0 : others(row - 1) || others(row + 1) ? run : isolated;
            assert.equal(bits[s][row] & (isolated | run), expected);
            if (!isMissing) assert.equal(bits[s][row], 0);
            const isWhole =
              isMissing && !table.present.subarray(row * table.width, (row + 1) * table.width).includes(1);
            assert.equal((bits[s][row] & whole_frame) !== 0, isWhole);
          });
          const alone = classified({ present: Uint8Array.from(has, Number), frames: table.frames, width: 1 });
          assert.deepEqual(
            bits[s].map((bit) => bit & ~whole_frame),
            alone[0].map((bit) => bit & ~whole_frame),
            "other series have a say in whole frames only",
          );
        }
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe("the share that a frame lacks", () => {
  it("is of the series seen in it or before", () => {
    const table = tableOf("x..x", ".x.x", "...x", "....");
    const firsts = firstsOf(table);
    assert.deepEqual([...firsts.subarray(1)], [0, 1, 3, 4]);
    assert.deepEqual(
      [0, 1, 2, 3].map((row) => missingShare(table, row, firsts, 1)),
      [0, 0.5, 1, 0],
    );
    assert.ok(Number.isNaN(missingShare(tableOf("."), 0, firstsOf(tableOf(".")), 1)));
  });

  it("drops a frame only beyond the threshold", () => {
    assert.ok(!isIncomplete(0.8, 0.8));
    assert.ok(isIncomplete(0.800_000_1, 0.8));
    assert.ok(isIncomplete(5 / 6, 0.8));
    assert.ok(!isIncomplete(1, 1));
    assert.ok(!isIncomplete(NaN, 0));
  });
});
