/**
 * Prometheus 3's `deriv(gauge[w])`, per second: `timestamps[first ... end - 1]` (milliseconds, ascending) and `values`
 * are the samples of the window. NaN for fewer than two. The same operations in the same order as `linearRegression`
 * of promql/functions.go, so the same bits. `absent` is as of `rate`.
 *
 * It is the slope that `trendSlope` has, but its sums are not centred: it loses as many bits as the level is larger
 * than what varies on it (half of the digits for bytes of memory), and one sample that is not finite makes it NaN.
 */
export function deriv(
  timestamps: Float64Array,
  values: Float64Array,
  absent: Uint8Array | null,
  first: number,
  end: number,
): number {
  let oldest = first;
  while (oldest < end && isAbsent(values, absent, oldest)) oldest++;
  let count = 0;
  let isConstant = true;
  let x = 0;
  let y = 0;
  let xy = 0;
  let xx = 0;
  let xLoss = 0;
  let yLoss = 0;
  let xyLoss = 0;
  let xxLoss = 0;
  for (let i = oldest; i < end; i++) {
    if (isAbsent(values, absent, i)) continue;
    const value = values[i];
    if (count > 0 && value !== values[oldest]) isConstant = false;
    count++;
    const seconds = (timestamps[i] - timestamps[oldest]) / 1000;
    xLoss = lossAfter(xLoss, x, seconds);
    x += seconds;
    yLoss = lossAfter(yLoss, y, value);
    y += value;
    xyLoss = lossAfter(xyLoss, xy, seconds * value);
    xy += seconds * value;
    xxLoss = lossAfter(xxLoss, xx, seconds * seconds);
    xx += seconds * seconds;
  }
  if (count < 2) return NaN;
  if (isConstant) return Math.abs(values[oldest]) === Infinity ? NaN : 0;
  x += xLoss;
  y += yLoss;
  xy += xyLoss;
  xx += xxLoss;
  return (xy - (x * y) / count) / (xx - (x * x) / count);
}

/** What rounding has taken from a sum once `term` is added (Neumaier 1974, as Prometheus's `kahanSumInc`). */
function lossAfter(loss: number, sum: number, term: number): number {
  const total = sum + term;
  if (Math.abs(total) === Infinity) return 0;
  return loss + (Math.abs(sum) >= Math.abs(term) ? sum - total + term : term - total + sum);
}

function isAbsent(values: Float64Array, absent: Uint8Array | null, index: number): boolean {
  return absent === null ? Number.isNaN(values[index]) : absent[index] !== 0;
}
