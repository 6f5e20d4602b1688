import { unitRoots } from "./unit-roots.js";

/** Larger prime factors go to Bluestein's algorithm: theirs cost as much as their square. */
const largestDirectFactor = 31;

/** What transforms of one length need: a cache without influence on any result. */
export interface ComplexFourier {
  readonly length: number;
  /** 4 where it can, then 2, 3, 5, …; empty for Bluestein's algorithm. */
  readonly factors: readonly number[];
  readonly roots: Float64Array;
  readonly work: Float64Array;
  /** Sums and differences of one odd butterfly's inputs. */
  readonly legs: Float64Array;
  readonly bluestein: Bluestein | null;
}

interface Bluestein {
  readonly convolution: ComplexFourier;
  /** e^(−πik²/n), and the transform of its conjugate, wrapped around. */
  readonly chirp: Float64Array;
  readonly kernel: Float64Array;
  readonly values: Float64Array;
}

export function openComplexFourier(length: number): ComplexFourier {
  const factors = factorsOf(length);
  const isDirect = Math.max(1, ...factors) <= largestDirectFactor;
  return {
    length,
    factors: isDirect ? factors : [],
    roots: isDirect ? unitRoots(length) : new Float64Array(0),
    work: new Float64Array(isDirect ? 2 * length : 0),
    legs: new Float64Array(2 * largestDirectFactor),
    bluestein: isDirect ? null : openBluestein(length),
  };
}

function factorsOf(length: number): number[] {
  const factors: number[] = [];
  let rest = length;
  while (rest > 0 && rest % 4 === 0) {
    factors.push(4);
    rest /= 4;
  }
  for (let factor = 2; rest > 1; factor++) {
    if (factor * factor > rest) factor = rest;
    while (rest % factor === 0) {
      factors.push(factor);
      rest /= factor;
    }
  }
  return factors;
}

/**
 * The discrete Fourier transform of `values`, pairs of real and imaginary part, in place: Σ x_j
 * e^(−2πijk/n). By Stockham's self-sorting passes, a factor of the length each, for any length.
 */
export function transform(fourier: ComplexFourier, values: Float64Array): void {
  if (fourier.bluestein !== null) {
    transformByChirp(fourier.length, fourier.bluestein, values);
    return;
  }
  const { length, factors, work } = fourier;
  let from = values;
  let to = work;
  let done = 1;
  for (const factor of factors) {
    if (factor === 4) passOfFour(fourier, from, to, done);
    else if (factor === 2) passOfTwo(fourier, from, to, done);
    else passOf(fourier, from, to, done, factor);
    done *= factor;
    [from, to] = [to, from];
  }
  if (from !== values) for (let i = 0; i < 2 * length; i++) values[i] = from[i];
}

/**
 * One pass, by an odd factor. Before it, `from` holds at p · factor · groups + s the p-th of the `done` points of the transform
 * of every (factor · groups)-th value from s on; after it, `to` holds at p · groups + q the p-th of `done` ·
 * `factor` points of the transform of every `groups`-th value from q on.
 */
function passOf(
  { length, roots, legs }: ComplexFourier,
  from: Float64Array,
  to: Float64Array,
  done: number,
  factor: number,
): void {
  const block = length / factor;
  const groups = block / done;
  const pairs = (factor - 1) / 2;
  for (let p = 0; p < done; p++) {
    for (let q = 0; q < groups; q++) {
      const first = 2 * (p * factor * groups + q);
      const re0 = from[first];
      const im0 = from[first + 1];
      let reAll = re0;
      let imAll = im0;
      // Leg j and leg factor − j meet conjugate roots: sums and differences of the two need half the products.
      for (let j = 1; j <= pairs; j++) {
        const left = first + 2 * j * groups;
        const right = first + 2 * (factor - j) * groups;
        const a = 2 * p * j * groups;
        const b = 2 * p * (factor - j) * groups;
        const reLeft = from[left] * roots[a] - from[left + 1] * roots[a + 1];
        const imLeft = from[left] * roots[a + 1] + from[left + 1] * roots[a];
        const reRight = from[right] * roots[b] - from[right + 1] * roots[b + 1];
        const imRight = from[right] * roots[b + 1] + from[right + 1] * roots[b];
        const leg = 4 * (j - 1);
        legs[leg] = reLeft + reRight;
        legs[leg + 1] = imLeft + imRight;
        legs[leg + 2] = reLeft - reRight;
        legs[leg + 3] = imLeft - imRight;
        reAll += legs[leg];
        imAll += legs[leg + 1];
      }
      const target = 2 * (p * groups + q);
      to[target] = reAll;
      to[target + 1] = imAll;
      for (let k = 1; k <= pairs; k++) {
        let re = re0;
        let im = im0;
        let reTurned = 0;
        let imTurned = 0;
        for (let j = 1, turn = k, leg = 0; j <= pairs; j++, turn += k, leg += 4) {
          if (turn >= factor) turn -= factor;
          const across = roots[2 * turn * block];
          const up = roots[2 * turn * block + 1];
          re += legs[leg] * across;
          im += legs[leg + 1] * across;
          reTurned += legs[leg + 2] * up;
          imTurned += legs[leg + 3] * up;
        }
        const near = target + 2 * k * done * groups;
        const far = target + 2 * (factor - k) * done * groups;
        to[near] = re - imTurned;
        to[near + 1] = im + reTurned;
        to[far] = re + imTurned;
        to[far + 1] = im - reTurned;
      }
    }
  }
}

/** `passOf` 2. */
function passOfTwo(
  { length, roots }: ComplexFourier,
  from: Float64Array,
  to: Float64Array,
  done: number,
): void {
  const groups = length / 2 / done;
  const step = 2 * done * groups;
  for (let p = 0; p < done; p++) {
    const re1 = roots[2 * p * groups];
    const im1 = roots[2 * p * groups + 1];
    for (let q = 0; q < groups; q++) {
      const a = 2 * (p * 2 * groups + q);
      const b = a + 2 * groups;
      const re = from[b] * re1 - from[b + 1] * im1;
      const im = from[b] * im1 + from[b + 1] * re1;
      const target = 2 * (p * groups + q);
      to[target] = from[a] + re;
      to[target + 1] = from[a + 1] + im;
      to[target + step] = from[a] - re;
      to[target + step + 1] = from[a + 1] - im;
    }
  }
}

/** `passOf` 4, whose inner roots are 1, −i, −1 and i. */
function passOfFour(
  { length, roots }: ComplexFourier,
  from: Float64Array,
  to: Float64Array,
  done: number,
): void {
  const groups = length / 4 / done;
  for (let p = 0; p < done; p++) {
    const one = 2 * p * groups;
    const re1 = roots[one];
    const im1 = roots[one + 1];
    const re2 = roots[2 * one];
    const im2 = roots[2 * one + 1];
    const re3 = roots[3 * one];
    const im3 = roots[3 * one + 1];
    for (let q = 0; q < groups; q++) {
      const a = 2 * (p * 4 * groups + q);
      const b = a + 2 * groups;
      const c = b + 2 * groups;
      const d = c + 2 * groups;
      const reA = from[a];
      const imA = from[a + 1];
      const reB = from[b] * re1 - from[b + 1] * im1;
      const imB = from[b] * im1 + from[b + 1] * re1;
      const reC = from[c] * re2 - from[c + 1] * im2;
      const imC = from[c] * im2 + from[c + 1] * re2;
      const reD = from[d] * re3 - from[d + 1] * im3;
      const imD = from[d] * im3 + from[d + 1] * re3;
      const target = 2 * (p * groups + q);
      const step = 2 * done * groups;
      to[target] = reA + reC + (reB + reD);
      to[target + 1] = imA + imC + (imB + imD);
      to[target + step] = reA - reC + (imB - imD);
      to[target + step + 1] = imA - imC - (reB - reD);
      to[target + 2 * step] = reA + reC - (reB + reD);
      to[target + 2 * step + 1] = imA + imC - (imB + imD);
      to[target + 3 * step] = reA - reC - (imB - imD);
      to[target + 3 * step + 1] = imA - imC + (reB - reD);
    }
  }
}

/**
 * Bluestein 1970, "A linear filtering approach to the computation of the discrete Fourier transform": jk = (j²
 * + k² − (k − j)²) ÷ 2 makes a transform of any length a convolution, done by transforms of a power of two.
 */
function openBluestein(length: number): Bluestein {
  const size = 2 ** Math.ceil(Math.log2(2 * length - 1));
  const convolution = openComplexFourier(size);
  const halfRoots = unitRoots(2 * length);
  const chirp = new Float64Array(2 * length);
  const kernel = new Float64Array(2 * size);
  for (let k = 0; k < length; k++) {
    const root = 2 * ((k * k) % (2 * length));
    const re = halfRoots[root];
    const im = halfRoots[root + 1];
    chirp[2 * k] = re;
    chirp[2 * k + 1] = im;
    for (const place of [k, (size - k) % size]) {
      kernel[2 * place] = re;
      kernel[2 * place + 1] = -im;
    }
  }
  transform(convolution, kernel);
  return { convolution, chirp, kernel, values: new Float64Array(2 * size) };
}

function transformByChirp(length: number, bluestein: Bluestein, values: Float64Array): void {
  const { convolution, chirp, kernel, values: padded } = bluestein;
  const size = convolution.length;
  padded.fill(0, 2 * length);
  multiply(values, chirp, padded, length);
  transform(convolution, padded);
  multiply(padded, kernel, padded, size);
  // Backwards: the transform of the conjugate is the conjugate of the inverse, times the size.
  for (let i = 1; i < 2 * size; i += 2) padded[i] = -padded[i];
  transform(convolution, padded);
  for (let i = 0; i < length; i++) {
    padded[2 * i] /= size;
    padded[2 * i + 1] /= -size;
  }
  multiply(padded, chirp, values, length);
}

/** Complex products, one by one; `out` may be either factor. */
function multiply(a: Float64Array, b: Float64Array, out: Float64Array, count: number): void {
  for (let i = 0; i < 2 * count; i += 2) {
    const re = a[i] * b[i] - a[i + 1] * b[i + 1];
    const im = a[i] * b[i + 1] + a[i + 1] * b[i];
    out[i] = re;
    out[i + 1] = im;
  }
}
