/**
 * Whether `value` lies outside of `low` … `high`; of an exclusive range the bounds themselves are outside, too.
 * ±Infinity as a bound is none. A value that is not finite is no value, and breaks no range.
 */
export function isOutside(value: number, low: number, high: number, isExclusive: boolean): boolean {
  if (value - value !== 0) return false;
  return isExclusive ? !(value > low && value < high) : value < low || value > high;
}
