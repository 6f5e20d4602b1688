import { randomStream } from "../../../services/kernels/random.js";
import { type SeriesCase, type Shape, seriesCases } from "../../oracle/series-cases.js";

/** The cases with holes: single samples, runs, both edges, and series of which nothing is left. */
export function gappyCases(except: readonly Shape[] = []): SeriesCase[] {
  return seriesCases(except).map(({ name, timestamps, values }, i) => {
    const random = randomStream(i, "holes", 0);
    const starts = 0.02 + 0.1 * random();
    const runs = 1 + 20 * random();
    const gappy = values.slice();
    for (let at = 0; at < gappy.length; at++) {
      if (random() >= starts) continue;
      const run = 1 + Math.floor(random() * runs);
      gappy.fill(NaN, at, at + run);
      at += run;
    }
    if (random() < 0.2) gappy.fill(NaN, 0, Math.floor(random() * 10));
    if (random() < 0.2) gappy.fill(NaN, Math.floor(random() * gappy.length));
    return { name, timestamps, values: gappy };
  });
}
