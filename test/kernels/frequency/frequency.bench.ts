import {
  frequenciesOf,
  openRealFourier,
  realFourier,
} from "../../../services/kernels/frequency/real-fourier.js";
import { frequencyFeatures, openSpectrumState } from "../../../services/kernels/frequency/spectrum.js";
import { randomStream } from "../../../services/kernels/random.js";
import { openPython } from "../../oracle/python.js";

/**
 * Microseconds a transform and a set of features, and those of numpy and scipy.
 * `node dist/test/kernels/frequency/frequency.bench.js`
 */

const random = randomStream(1, "frequency", 0);
const values = Float64Array.from({ length: 8192 }, () => random());
const out = new Float64Array(8194);
const state = openSpectrumState();

/** The median of five runs, after one to warm up, of the processor's time. */
function microseconds(rows: number, row: () => void): number {
  const runs = Array.from({ length: 6 }, () => {
    const before = process.cpuUsage();
    for (let i = 0; i < rows; i++) row();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / rows;
  });
  return runs.slice(1).sort((a, b) => a - b)[2];
}

const python = openPython("test/kernels/frequency/frequency.oracle.py");
for (const length of [60, 180, 720, 1009, 4096]) {
  const repeats = 1_000;
  const fourier = openRealFourier(length);
  const transform = microseconds(repeats, () => realFourier(fourier, values, 0, out, 0));
  const features = microseconds(repeats, () => frequencyFeatures(state, values, 0, length, 5_000, out, 0));
  const seconds = await python.call<Float64Array>("seconds", values, length, repeats);
  const [numpy, scipy] = seconds.map((total) => (total * 1e6) / repeats);
  process.stdout.write(
    `${length} values (${frequenciesOf(length)} frequencies): rfft ${transform.toFixed(1)} µs, numpy ${numpy.toFixed(1)} µs: ${(numpy / transform).toFixed(1)} ×; ` +
      `features ${features.toFixed(1)} µs, scipy and numpy ${scipy.toFixed(0)} µs: ${(scipy / features).toFixed(1)} ×\n`,
  );
}
await python.close();
