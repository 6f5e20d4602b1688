import { transformScaled } from "../kernels/scale/scalers.js";
import { type ScaledKind, type ScalingFits, fitOf } from "../shared/scaling-fits.js";

/** What windows see of a row, scaled; NaN where there is nothing to scale it by. */
export type Scaling = (entityKey: string, seriesKey: string, kind: ScaledKind, value: number) => number;

export function scalingBy(fits: ScalingFits): Scaling {
  const cell = new Float64Array(1);
  return (entityKey, seriesKey, kind, value) => {
    const fit = fitOf(fits, entityKey, seriesKey, kind);
    if (fit === undefined || value - value !== 0) return NaN;
    cell[0] = value;
    transformScaled(fit, cell, cell, 0);
    return cell[0];
  };
}
