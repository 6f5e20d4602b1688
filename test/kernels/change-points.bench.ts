import { changePenalty, openChangePointScratch } from "../../services/kernels/change-points.js";
import { pelt } from "../../services/kernels/pelt.js";
import { normal, randomStream } from "../../services/kernels/random.js";
import { openPython } from "../oracle/python.js";
import { processorSeconds } from "./processor-seconds.js";
import { printSpeed } from "./speed-line.js";

/** Time a search, beside ruptures. `node dist/test/kernels/change-points.bench.js` */

const python = openPython("test/kernels/change-points.oracle.py");
const random = randomStream(1, "bench", 0);
const shapes: Record<string, (i: number, n: number) => number> = {
  "noise without a change": () => normal(random),
  "ten levels": (i, n) => 10 * (Math.floor((10 * i) / n) % 3) + normal(random),
  "mostly idle": () => (random() < 0.02 ? 5 : 0),
  "a step among constants": (i, n) => (i < n / 2 ? 0.1 : 0.2),
};
for (const [name, value] of Object.entries(shapes)) {
  for (const count of [60, 180, 720]) {
    const values = Float64Array.from({ length: count }, (_, i) => value(i, count));
    const scratch = openChangePointScratch();
    const penalty = changePenalty(scratch, values, 0, count, 1);
    const out = new Int32Array(count);
    const searches = Math.ceil(20_000 / count);
    const ours =
      processorSeconds(() => {
        for (let k = 0; k < searches; k++) pelt(scratch.pelt, values, 0, count, penalty, out);
      }) / searches;
    const [[theirs]] = await python.call<Float64Array[]>("pelt_seconds", values, penalty);
    printSpeed(`PELT, ${name}, ${count}`, ours, { library: "ruptures", seconds: theirs });
  }
}
await python.close();
