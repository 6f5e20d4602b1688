import { momentum } from "../../services/kernels/momentum.js";
import { trendSlope } from "../../services/kernels/trend-slope.js";
import { openPython } from "../oracle/python.js";
import { processorSeconds } from "./processor-seconds.js";
import { printSpeed } from "./speed-line.js";

/** Time a row, beside scipy. `node dist/test/kernels/trend-slope.bench.js` */

const timestamps = Float64Array.from({ length: 20_000 }, (_, i) => 1_760_000_000_000 + i * 5_000);
const values = timestamps.map((_, i) => 50 + 10 * Math.sin(i / 200) + ((i * 7919) % 101) / 101);
const python = openPython("test/kernels/trend.oracle.py");

for (const count of [60, 180, 720]) {
  const out = new Float64Array(values.length);
  const ours = processorSeconds(() => {
    for (let end = count; end < values.length; end++)
      out[end] = trendSlope(timestamps, values, end - count, end);
  });
  const window = [timestamps.slice(0, count), values.slice(0, count)];
  const [theirs] = await python.call<Float64Array>("linregress_seconds", ...window, 200);
  const seconds = ours / (values.length - count);
  printSpeed(`slope of ${count}, a row`, seconds, { library: "scipy", seconds: theirs });
}
const out = new Float64Array(2);
const moved = processorSeconds(() => {
  for (let end = 1; end <= values.length; end++)
    momentum(timestamps, values, Math.max(0, end - 900), end, 3_600_000, 7_500, out, 0);
});
printSpeed("momentum, a row", moved / values.length);
await python.close();
