/** A stream of pseudo-random numbers, uniform in [0, 1). */
export type Random = () => number;

/**
 * xoshiro128** 1.1 of Blackman and Vigna (public domain, https://prng.di.unimi.it/xoshiro128starstar.c): unsigned 32-bit
 * integers. The state, four words and not all zero, is changed in place.
 */
export function xoshiro128(state: Uint32Array): () => number {
  return () => {
    const product = Math.imul(state[1], 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = state[1] << 9;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = (state[3] << 11) | (state[3] >>> 21);
    return result;
  };
}

/**
 * The stream that belongs to a seed, a name and an index (say a second). Streams of different names or indices are
 * independent, so any moment can be computed without those before it.
 */
export function randomStream(seed: number, name: string, index: number): Random {
  const words = [...wordsOf(seed), ...wordsOf(index), ...Buffer.from(name)];
  const state = Uint32Array.from([1, 2, 3, 4], (start) =>
    words.reduce((hash, word) => mix((hash ^ word) + 0x9e3779b9), start),
  );
  const next = xoshiro128(state);
  return () => next() / 2 ** 32;
}

function wordsOf(integer: number): [number, number] {
  return [integer >>> 0, Math.floor(integer / 2 ** 32) >>> 0];
}

/** The finaliser of MurmurHash3 (Appleby, public domain): a bijection of 32-bit words. */
function mix(word: number): number {
  let hash = word | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

export function uniform(random: Random, low: number, high: number): number {
  return low + (high - low) * random();
}

/** Box and Muller's transform. */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** `sigma` is the standard deviation of the logarithm. */
export function logNormal(random: Random, median: number, sigma: number): number {
  return median * Math.exp(sigma * normal(random));
}

/** Knuth's method. It needs exp(-mean), so a large mean is drawn as a sum of small ones. */
export function poisson(random: Random, mean: number): number {
  const meanAtOnce = 16;
  let count = 0;
  for (let left = mean; left > 0; left -= meanAtOnce) {
    const floor = Math.exp(-Math.min(left, meanAtOnce));
    for (let product = random(); product > floor; product *= random()) count += 1;
  }
  return count;
}
