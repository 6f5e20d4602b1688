import { openDecomposition } from "../../services/kernels/decomposition.js";
import { normal, randomStream } from "../../services/kernels/random.js";
import {
  openSeasonalDecomposeScratch,
  seasonalDecompose,
} from "../../services/kernels/seasonal-decompose.js";
import {
  openSeasonalScratch,
  seasonalFeatures,
  seasonalWidth,
} from "../../services/kernels/seasonal-features.js";
import { openStlScratch, stl } from "../../services/kernels/stl.js";
import { openPython } from "../oracle/python.js";
import { processorSeconds } from "./processor-seconds.js";
import { printSpeed } from "./speed-line.js";

/** Time a decomposition, beside statsmodels. `node dist/test/kernels/seasonality.bench.js` */

const period = 60;
const python = openPython("test/kernels/seasonality.oracle.py");
const random = randomStream(1, "bench", 0);

async function report(
  name: string,
  count: number,
  work: () => void,
  repeats: number,
  theirs: Promise<Float64Array>,
) {
  const [seconds] = await theirs;
  const ours =
    processorSeconds(() => {
      for (let k = 0; k < repeats; k++) work();
    }) / repeats;
  printSpeed(`${name} of ${count}`, ours, { library: "statsmodels", seconds });
}

for (const count of [720, 1440, 10_080]) {
  const values = Float64Array.from(
    { length: count },
    (_, i) => 100 + 20 * Math.sin((2 * Math.PI * i) / period) + normal(random),
  );
  const parts = openDecomposition(count);
  const repeats = Math.ceil(10_080 / count);
  const decompose = openSeasonalDecomposeScratch();
  for (const twoSided of [true, false]) {
    await report(
      `seasonal_decompose, ${twoSided ? "two" : "one"}-sided,`,
      count,
      () => seasonalDecompose({ period, model: "additive", twoSided }, decompose, values, 0, count, parts),
      10 * repeats,
      python.call("decompose_seconds", values, period, twoSided, 10),
    );
  }
  const scratch = openStlScratch();
  for (const robust of [false, true]) {
    await report(
      robust ? "robust STL" : "STL",
      count,
      () => stl({ period, seasonal: 7, robust }, scratch, values, 0, count, parts),
      robust ? 1 : repeats,
      python.call("stl_seconds", values, period, robust, robust ? 1 : 3),
    );
  }
}

const timestamps = Float64Array.from({ length: 2_000 }, (_, i) => i * 5_000);
const values = timestamps.map((_, i) => 100 + 20 * Math.sin((2 * Math.PI * i) / period) + normal(random));
const scratch = openSeasonalScratch();
const out = new Float64Array(seasonalWidth);
for (const window of [180, 720]) {
  const plan = { period, intervalMs: 5_000 };
  const seconds = processorSeconds(() => {
    for (let end = 1_000; end < 2_000; end++)
      seasonalFeatures(plan, scratch, timestamps, values, end - window, end, out, 0);
  });
  printSpeed(`seasonal features from ${window}, a row`, seconds / 1_000);
}
await python.close();
