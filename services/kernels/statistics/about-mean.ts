/**
 * Writes four numbers at `out[outOffset]`: how many of the finite `values[first ... end - 1]` are above and
 * below their mean, and the longest runs above and below it: tsfresh's `count_above_mean`, `count_below_mean`,
 * `longest_strike_above_mean`, `longest_strike_below_mean`. `roughMean` and `offset` as of `centralSums`.
 */
export function countsAboutMean(
  values: Float64Array,
  first: number,
  end: number,
  roughMean: number,
  offset: number,
  out: Float64Array,
  outOffset: number,
): void {
  let above = 0;
  let below = 0;
  let runAbove = 0;
  let runBelow = 0;
  let longestAbove = 0;
  let longestBelow = 0;
  for (let i = first; i < end; i++) {
    const distance = values[i] - roughMean;
    if (distance > offset) {
      above++;
      runBelow = 0;
      if (++runAbove > longestAbove) longestAbove = runAbove;
    } else if (distance < offset) {
      below++;
      runAbove = 0;
      if (++runBelow > longestBelow) longestBelow = runBelow;
    } else {
      runAbove = 0;
      runBelow = 0;
    }
  }
  out[outOffset] = above;
  out[outOffset + 1] = below;
  out[outOffset + 2] = longestAbove;
  out[outOffset + 3] = longestBelow;
}

/** Beyond a limit means by more than rounding: both of two values are exactly one σ away from their mean. */
export const roundingShare = 2 ** -40;

/**
 * The share of the finite `values[first ... end - 1]` that are more than `sigmas` standard deviations (ddof 0)
 * away from their mean: tsfresh's `ratio_beyond_r_sigma`.
 */
export function ratioBeyond(
  values: Float64Array,
  first: number,
  end: number,
  sigmas: number,
  roughMean: number,
  offset: number,
  deviation: number,
): number {
  const limit = sigmas * (1 + roundingShare) * deviation;
  let beyond = 0;
  for (let i = first; i < end; i++) if (Math.abs(values[i] - roughMean - offset) > limit) beyond++;
  return beyond / (end - first);
}
