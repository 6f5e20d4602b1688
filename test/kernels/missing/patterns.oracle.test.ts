import { after, before, describe, it } from "node:test";
import { classifyMissing, missingBits } from "../../../services/kernels/missing/patterns.js";
import { firstPresences, missingShare } from "../../../services/kernels/missing/presence.js";
import { openComparison } from "../../oracle/comparison.js";
import { type Python, type Table, openPython } from "../../oracle/python.js";
import { madeTable } from "./made-tables.js";

describe("missing data", () => {
  let python: Python;
  before(() => {
    python = openPython("test/kernels/missing/patterns.oracle.py", { remembers: true });
  });
  after(() => python.close());

  it("equals pandas", async (context) => {
    const share = openComparison("missing share of a frame", "pandas isna() among ffill().notna()", 0);
    const classes = openComparison("missing alone, in runs, in whole frames", "pandas groupby of runs", 0);
    for (let seed = 1; seed <= 100; seed++) {
      const table = madeTable(seed, 1 + ((seed * 7) % 150), 1 + (seed % 9));
      const { present, frames, width } = table;
      const firsts = new Int32Array(width);
      firstPresences(table, firsts, 0);
      const asTable: Table = { values: Float64Array.from(present), shape: [frames, width] };
      const shares = Array.from({ length: frames }, (_, row) => missingShare(table, row, firsts, 0));
      share.compare(shares, await python.call<Float64Array>("missing_shares", asTable), `seed ${seed}`);
      const bits = new Uint8Array(frames * width);
      classifyMissing(table, firsts, 0, 100, bits, 0);
      const { values } = await python.call<Table>("classes", asTable);
      const withoutPeriods = Array.from(bits, (bit) => bit & ~missingBits.periodic);
      classes.compare(withoutPeriods, values, `seed ${seed}`);
    }
    for (const comparison of [share, classes]) comparison.conclude(context);
  });
});
