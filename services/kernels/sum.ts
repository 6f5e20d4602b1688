/**
 * Sum of `values[first ... end - 1]` in an order that depends on their count only: four interleaved lanes
 * from the first value on, so that an addition need not wait for the one before it. Not finite where a value
 * is not, or where a lane overflows.
 */
export function sum(values: Float64Array, first: number, end: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = first;
  for (; i + 3 < end; i += 4) {
    a += values[i];
    b += values[i + 1];
    c += values[i + 2];
    d += values[i + 3];
  }
  if (i < end) a += values[i];
  if (i + 1 < end) b += values[i + 1];
  if (i + 2 < end) c += values[i + 2];
  return a + b + (c + d);
}

/**
 * The same sum as if it were done in twice the precision, for values that cancel each other (Ogita, Rump,
 * Oishi 2005, "Accurate sum and dot product", algorithm Sum2). Costs twice as much.
 */
export function compensatedSum(values: Float64Array, first: number, end: number): number {
  let total = 0;
  let lost = 0;
  for (let i = first; i < end; i++) {
    const value = values[i];
    const next = total + value;
    const taken = next - total;
    lost += total - (next - taken) + (value - taken);
    total = next;
  }
  return total + lost;
}
