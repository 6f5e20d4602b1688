/** Values whose largest is beyond these have fourth powers that overflow or underflow. */
const largestSafe = 2 ** 200;
const smallestSafe = 2 ** -200;

/**
 * The power of two that brings values of which the largest has the size `largest` between 2^-200 and 2^200; 1
 * where they are, or are all 0.
 */
export function safeUnit(largest: number): number {
  if (largest > largestSafe)
    return largest > 2 ** 800 ? 2 ** -900 : largest > 2 ** 500 ? 2 ** -650 : 2 ** -350;
  if (largest >= smallestSafe || largest === 0) return 1;
  return largest < 2 ** -900 ? 2 ** 1000 : largest < 2 ** -500 ? 2 ** 700 : 2 ** 350;
}
