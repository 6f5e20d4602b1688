/**
 * What the samples of a series come to in each of a number of cells of time, on two sides: how many there are, and the sum of
 * a 64-bit hash of each (ms, bits of the value), so that order does not matter. 16 bytes a cell, however many samples.
 */
export interface Digest {
  readonly prometheus: Uint32Array;
  readonly kafka: Uint32Array;
  /** Prometheus's sum less Kafka's, modulo 2^32, of either half of the hash. */
  readonly low: Uint32Array;
  readonly high: Uint32Array;
}

export function createDigest(cells: number): Digest {
  const column = () => new Uint32Array(cells);
  return { prometheus: column(), kafka: column(), low: column(), high: column() };
}

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

export type Side = "prometheus" | "kafka";

/** Adds one sample. All NaNs are one: Prometheus's API does not tell them apart. */
export function addToDigest(digest: Digest, side: Side, cell: number, ms: number, value: number): void {
  const sign = side === "prometheus" ? 1 : -1;
  digest[side][cell]++;
  double[0] = ms;
  const [timeLow, timeHigh] = words;
  double[0] = Number.isNaN(value) ? NaN : value;
  const [valueLow, valueHigh] = words;
  digest.low[cell] += sign * hash(timeLow, timeHigh, valueLow, valueHigh, 0x9747b28c);
  digest.high[cell] += sign * hash(valueHigh, valueLow, timeHigh, timeLow, 0x3c6ef372);
}

/** Murmur3's mixing of four words, 32-bit arithmetic: https://github.com/aappleby/smhasher/wiki/MurmurHash3 */
function hash(a: number, b: number, c: number, d: number, seed: number): number {
  let h = seed;
  h = mixed(h, a);
  h = mixed(h, b);
  h = mixed(h, c);
  h = mixed(h, d);
  h ^= 16;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function mixed(h: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const next = h ^ k;
  return Math.imul((next << 13) | (next >>> 19), 5) + 0xe6546b64;
}

/** Whether both sides hold the same samples in a cell, each once, but for a chance of 2^-64. */
export function isSame({ prometheus, kafka, low, high }: Digest, cell: number): boolean {
  return prometheus[cell] === kafka[cell] && low[cell] === 0 && high[cell] === 0;
}
