import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { anyArray, ascendingTimestamps, gaps } from "../arbitrary-values.js";
import { bitText } from "../exact-arithmetic.js";
import { seriesImputers, tableImputers } from "./imputers.js";

const START_MS = 1_760_000_000_000;

/** Any values, with runs of NaN. */
const gappyArray = fc
  .tuple(anyArray, fc.array(fc.tuple(fc.nat(300), fc.integer({ min: 1, max: 12 })), { maxLength: 8 }))
  .map(([values, holes]) => {
    const gappy = Float64Array.from(values);
    for (const [at, length] of holes) gappy.fill(NaN, at, at + length);
    return gappy;
  });

const maxGap = fc.constantFrom(0, 10_000, 60_000, 600_000, 1e15);

describe("imputers of a series", () => {
  for (const [name, fill] of Object.entries(seriesImputers)) {
    it(`${name}: touches nothing that is present, and depends on its samples only`, () => {
      fc.assert(
        fc.property(
          gappyArray,
          gappyArray,
          gappyArray,
          gaps,
          maxGap,
          (before, window, after, some, maxGapMs) => {
            const all = Float64Array.from([...before, ...window, ...after]);
            const timestamps = ascendingTimestamps(all.length, START_MS, some);
            const unchanged = [bitText(all), bitText(timestamps)];
            const first = before.length;
            const end = first + window.length;
            const out = new Float64Array(window.length + 2).fill(-1);
            const filled = new Uint8Array(window.length + 2).fill(9);
            fill(maxGapMs, timestamps, all, first, end, out, filled, 1);
            assert.deepEqual([bitText(all), bitText(timestamps)], unchanged);
            assert.deepEqual([out[0], out[window.length + 1]], [-1, -1]);
            assert.deepEqual([filled[0], filled[window.length + 1]], [9, 9]);
            const [within, mask] = [out.slice(1, -1), filled.slice(1, -1)];
            checkFills(window, within, mask);

            const alone = new Float64Array(window.length);
            const aloneFilled = new Uint8Array(window.length);
            fill(maxGapMs, timestamps.slice(first, end), window, 0, window.length, alone, aloneFilled, 0);
            assert.equal(bitText(alone), bitText(within));
            assert.deepEqual(aloneFilled, mask);
          },
        ),
        { seed: 1, numRuns: 400 },
      );
    });
  }
});

describe("imputers of a table", () => {
  for (const [name, fill] of Object.entries(tableImputers)) {
    it(`${name}: touches nothing that is present, fills no longer gap, and answers the same again`, () => {
      const width = fc.integer({ min: 1, max: 7 });
      fc.assert(
        fc.property(gappyArray, width, gaps, maxGap, (cells, columns, some, maxGapMs) => {
          const rows = Math.floor(cells.length / columns);
          const values = cells.slice(0, rows * columns);
          const timestamps = ascendingTimestamps(rows, START_MS, some);
          const unchanged = [bitText(values), bitText(timestamps)];
          const out = new Float64Array(values.length);
          const filled = new Uint8Array(values.length);
          fill(maxGapMs, timestamps, values, columns, out, filled);
          assert.deepEqual([bitText(values), bitText(timestamps)], unchanged);
          checkFills(values, out, filled);
          checkLengths(timestamps, values, columns, filled, maxGapMs);

          const again = new Float64Array(values.length).fill(5);
          fill(
            maxGapMs,
            timestamps.slice(),
            values.slice(),
            columns,
            again,
            new Uint8Array(out.length).fill(1),
          );
          assert.equal(bitText(again), bitText(out));
        }),
        { seed: 1, numRuns: 200 },
      );
    });

    it(`${name}: fills every hole of an ordinary table`, () => {
      const [rows, columns] = [40, 4];
      const values = Float64Array.from(
        { length: rows * columns },
        (_, i) => ((i * 37) % 11) + 100 * (i % columns) + Math.floor(i / columns),
      );
      for (let i = 0; i < values.length; i += 13) values[i] = NaN;
      const timestamps = ascendingTimestamps(rows, START_MS, [5_000]);
      const out = new Float64Array(values.length);
      const filled = new Uint8Array(values.length);
      fill(60_000, timestamps, values, columns, out, filled);
      checkFills(values, out, filled);
      assert.ok(out.every((value) => Number.isFinite(value)));
    });
  }
});

/** Filled cells were missing and are finite now; the others are as they were. */
function checkFills(values: Float64Array, out: Float64Array, filled: Uint8Array): void {
  const untouched = values.map((value, i) => (filled[i] === 1 ? out[i] : value));
  assert.equal(bitText(out), bitText(untouched));
  for (let i = 0; i < values.length; i++) {
    if (filled[i] === 0) continue;
    assert.equal(filled[i], 1);
    assert.ok(Number.isNaN(values[i]) && Number.isFinite(out[i]), `${values[i]} became ${out[i]}`);
  }
}

function checkLengths(
  timestamps: Float64Array,
  values: Float64Array,
  columns: number,
  filled: Uint8Array,
  maxGapMs: number,
): void {
  const rows = timestamps.length;
  for (let cell = 0; cell < filled.length; cell++) {
    if (filled[cell] === 0) continue;
    let from = cell - columns;
    while (from >= 0 && !Number.isFinite(values[from])) from -= columns;
    let to = cell + columns;
    while (to < values.length && !Number.isFinite(values[to])) to += columns;
    const begin = timestamps[Math.max(0, Math.floor(from / columns))];
    const end = timestamps[Math.min(rows - 1, Math.floor(to / columns))];
    assert.ok(end - begin <= maxGapMs, `a gap of ${end - begin} ms`);
  }
}
