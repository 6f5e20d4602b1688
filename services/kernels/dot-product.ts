/**
 * Σ `a[aOffset + i]` · `b[bOffset + i]` for i below `length`, in an order that depends on `length` only: four lanes as `sum`.
 */
export function dotProduct(
  a: Float64Array,
  aOffset: number,
  b: Float64Array,
  bOffset: number,
  length: number,
): number {
  let p = 0;
  let q = 0;
  let r = 0;
  let s = 0;
  let i = 0;
  for (; i + 3 < length; i += 4) {
    p += a[aOffset + i] * b[bOffset + i];
    q += a[aOffset + i + 1] * b[bOffset + i + 1];
    r += a[aOffset + i + 2] * b[bOffset + i + 2];
    s += a[aOffset + i + 3] * b[bOffset + i + 3];
  }
  for (; i < length; i++) p += a[aOffset + i] * b[bOffset + i];
  return p + q + (r + s);
}

/** Adds `factor` · `from[fromOffset + i]` to `to[toOffset + i]` for i below `length`. */
export function addScaled(
  to: Float64Array,
  toOffset: number,
  factor: number,
  from: Float64Array,
  fromOffset: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) to[toOffset + i] += factor * from[fromOffset + i];
}
