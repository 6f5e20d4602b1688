import type { FittedOn } from "./fitted-on.js";
import { type MinMaxFit, fitMinMax, inverseMinMax, transformMinMax } from "./min-max.js";
import { type RobustFit, fitRobust, inverseRobust, transformRobust } from "./robust.js";
import { type ZScoreFit, fitZScore, inverseZScore, transformZScore } from "./z-score.js";

export const scalers = ["min_max", "z_score", "robust"] as const;
export type Scaler = (typeof scalers)[number];

/** A plain value, to be stored as JSON. */
export type ScalerFit = MinMaxFit | ZScoreFit | RobustFit;

/** Fits each column of the rows in `table`, which is row-major and as wide as `fittedOn.columns`. */
export function fitScaler(scaler: Scaler, table: Float64Array, fittedOn: FittedOn): ScalerFit {
  switch (scaler) {
    case "min_max":
      return fitMinMax(table, fittedOn);
    case "z_score":
      return fitZScore(table, fittedOn);
    case "robust":
      return fitRobust(table, fittedOn);
  }
}

/** Writes `rows`, whole rows as wide as the fit, as it scales them, at `out[outOffset]`. `out` may be `rows`. */
export function transformScaled(
  fit: ScalerFit,
  rows: Float64Array,
  out: Float64Array,
  outOffset: number,
): void {
  if (fit.scaler === "min_max") transformMinMax(fit, rows, out, outOffset);
  else if (fit.scaler === "z_score") transformZScore(fit, rows, out, outOffset);
  else transformRobust(fit, rows, out, outOffset);
}

/** Writes what `transformScaled` made `rows` of. */
export function inverseScaled(
  fit: ScalerFit,
  rows: Float64Array,
  out: Float64Array,
  outOffset: number,
): void {
  if (fit.scaler === "min_max") inverseMinMax(fit, rows, out, outOffset);
  else if (fit.scaler === "z_score") inverseZScore(fit, rows, out, outOffset);
  else inverseRobust(fit, rows, out, outOffset);
}
