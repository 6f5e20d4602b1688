import { classifyMissing } from "../../../services/kernels/missing/patterns.js";
import { firstPresences, missingShare } from "../../../services/kernels/missing/presence.js";
import { openPython } from "../../oracle/python.js";
import { processorSeconds } from "../processor-seconds.js";
import { printSpeed } from "../speed-line.js";
import { madeTable } from "./made-tables.js";

/**
 * Shares and classes of an hour of 5 s frames of 100 series, periods too, beside pandas without periods. `node
 * dist/test/kernels/missing/patterns.bench.js`
 */

const table = madeTable(1, 720, 100);
const { present, frames, width } = table;
const firsts = new Int32Array(width);
const bits = new Uint8Array(frames * width);

function run(): void {
  firstPresences(table, firsts, 0);
  for (let row = 0; row < frames; row++) missingShare(table, row, firsts, 0);
  classifyMissing(table, firsts, 0, 240, bits, 0);
}

const python = openPython("test/kernels/missing/patterns.oracle.py");
const asTable = { values: Float64Array.from(present), shape: [frames, width] };
const [ofPandas] = await python.call<Float64Array>("seconds", asTable, 5);
await python.close();
printSpeed("missing patterns of 720 frames of 100 series", processorSeconds(run), {
  library: "pandas",
  seconds: ofPandas,
});
