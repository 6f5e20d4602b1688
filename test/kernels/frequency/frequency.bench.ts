import { openRealFourier, realFourier } from "../../../services/kernels/frequency/real-fourier.js";
import { frequencyFeatures, openSpectrumState } from "../../../services/kernels/frequency/spectrum.js";
import { randomStream } from "../../../services/kernels/random.js";
import { openPython } from "../../oracle/python.js";
import { processorSeconds } from "../processor-seconds.js";
import { printSpeed } from "../speed-line.js";

/**
 * Time a transform and a set of features, beside numpy and scipy.
 * `node dist/test/kernels/frequency/frequency.bench.js`
 */

const random = randomStream(1, "frequency", 0);
const values = Float64Array.from({ length: 8192 }, () => random());
const out = new Float64Array(8194);
const state = openSpectrumState();

function secondsPerRow(rows: number, row: () => void): number {
  return (
    processorSeconds(() => {
      for (let i = 0; i < rows; i++) row();
    }) / rows
  );
}

const python = openPython("test/kernels/frequency/frequency.oracle.py");
for (const length of [60, 180, 720, 1009, 4096]) {
  const repeats = 1_000;
  const fourier = openRealFourier(length);
  const transform = secondsPerRow(repeats, () => realFourier(fourier, values, 0, out, 0));
  const features = secondsPerRow(repeats, () => frequencyFeatures(state, values, 0, length, 5_000, out, 0));
  const seconds = await python.call<Float64Array>("seconds", values, length, repeats);
  const [numpy, scipy] = seconds.map((total) => total / repeats);
  printSpeed(`rfft of ${length}`, transform, { library: "numpy", seconds: numpy });
  printSpeed(`spectral features of ${length}`, features, { library: "scipy and numpy", seconds: scipy });
}
await python.close();
