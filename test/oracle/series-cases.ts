import { type Random, logNormal, normal, randomStream } from "../../services/kernels/random.js";

/** One series: timestamps in milliseconds, strictly ascending. */
export interface SeriesCase {
  readonly name: string;
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
}

const START_MS = 1_760_000_000_000;
const INTERVAL_MS = 5_000;
const SEEDS_PER_KIND = 12;

/** How times go: the milliseconds after the sample before. */
const spacings: Record<string, (random: Random, i: number) => number> = {
  regular: () => INTERVAL_MS,
  irregular: (random) => 1 + Math.floor(random() * 3 * INTERVAL_MS),
  gaps: (random) => (random() < 0.03 ? Math.floor(random() * 4_000_000) + INTERVAL_MS : INTERVAL_MS),
};

/** How values go, at random but always the same. */
const shapes: Record<string, (random: Random, i: number) => number> = {
  noise: (random) => 50 + 10 * normal(random),
  daily: (random, i) => 100 + 30 * Math.sin((2 * Math.PI * i) / 60) + 0.01 * i + normal(random),
  steps: (random, i) => 10 * Math.floor(i / 80) + normal(random),
  ties: (random) => [-1, -0, 0, 1, 1, 2][Math.floor(random() * 6)],
  constant: () => 0.1,
  level: (random) => 1e9 + random(),
  huge: (random) => (random() - 0.5) * 1e300,
  denormal: (random) => Math.floor(random() * 1000) * 5e-324,
  "heavy tails": (random) => logNormal(random, 1, 2) - 1,
  "not numbers": (random) =>
    random() < 0.1 ? [NaN, Infinity, -Infinity][Math.floor(random() * 3)] : normal(random),
};

/** Names of the shapes, for operations whose reference has no answer for some of them. */
export type Shape = keyof typeof shapes;

/**
 * Hundreds of seeded series: each shape with each spacing, from one to 700 samples, and those of one, two and three
 * samples. `except` leaves out the shapes that the reference cannot compute, for which the test says why.
 */
export function seriesCases(except: readonly Shape[] = []): SeriesCase[] {
  const cases: SeriesCase[] = [];
  for (const [shape, value] of Object.entries(shapes)) {
    if (except.includes(shape)) continue;
    for (const [spacing, step] of Object.entries(spacings)) {
      for (let seed = 1; seed <= SEEDS_PER_KIND; seed++) {
        const random = randomStream(seed, `${shape} ${spacing}`, 0);
        const length = seed <= 3 ? seed : 4 + Math.floor(random() * (seed <= 8 ? 100 : 700));
        cases.push({ name: `${shape}, ${spacing}, seed ${seed}`, ...seriesOf(random, length, step, value) });
      }
    }
  }
  return cases;
}

function seriesOf(
  random: Random,
  length: number,
  step: (random: Random, i: number) => number,
  value: (random: Random, i: number) => number,
): { timestamps: Float64Array; values: Float64Array } {
  const timestamps = new Float64Array(length);
  const values = new Float64Array(length);
  let at = START_MS;
  for (let i = 0; i < length; i++) {
    at += step(random, i);
    timestamps[i] = at;
    values[i] = value(random, i);
  }
  return { timestamps, values };
}

/** The size of a series, for results that may cancel to almost nothing. */
export function largestFinite(values: Float64Array): number {
  return values.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
}
