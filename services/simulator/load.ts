import { randomStream, uniform } from "../kernels/random.js";

/** The average load, in requests a second, that users put on the gateway. */
const MEAN_RATE = 20;

/** No load is above this: the sum of all that `requestRate` may add. */
export const PEAK_RATE = MEAN_RATE * 1.75 * 1.15;

/**
 * Expected requests a second at the gateway: a day with a quiet night, a plateau from noon and a second, smaller peak in
 * the evening (UTC), times noise of at most 15 % that changes over minutes.
 */
export function requestRate(seed: number, second: number): number {
  const hour = (second / 3600) % 24;
  const day = 1 + 0.6 * Math.cos((2 * Math.PI * (hour - 15)) / 24);
  const evening = 0.15 * Math.cos((4 * Math.PI * (hour - 20)) / 24);
  return MEAN_RATE * (day + evening) * (1 + 0.15 * smoothNoise(seed, "load", second, 120));
}

/** Noise in [-1, 1]: independent values every `periodSeconds`, and a cosine between them. */
export function smoothNoise(seed: number, name: string, second: number, periodSeconds: number): number {
  const period = Math.floor(second / periodSeconds);
  const before = uniform(randomStream(seed, name, period), -1, 1);
  const after = uniform(randomStream(seed, name, period + 1), -1, 1);
  const share = (1 - Math.cos(Math.PI * (second / periodSeconds - period))) / 2;
  return before + (after - before) * share;
}
