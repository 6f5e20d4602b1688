import { inverseScaled, transformScaled } from "../kernels/scale/scalers.js";
import { MillraceError } from "../shared/errors.js";
import type { Labels } from "../shared/frame.js";
import { type ScaledKind, readScalingFits, scalingBy } from "../shared/scaling-fits.js";
import { internEntity } from "../shared/series.js";

/** The fits of a file that `millrace fit` wrote. */
export interface Scaling {
  /**
   * What the column `scaled` is of a value that windows see, `of` a series' values or a counter's rates. `series` is the text that
   * a row of `subscribe` has. Null where the file has no such fit, or the answer is no finite number.
   */
  readonly scale: (entity: Labels, series: string, of: ScaledKind, value: number) => number | null;
  /** The value that `scaled` stands for, to some ulps of the largest one that was fitted to; null as above. */
  readonly inverse: (entity: Labels, series: string, of: ScaledKind, scaled: number) => number | null;
}

/** Reads a file of fits, to bring what a model says of scaled values back to their units. Throws FITS_UNREADABLE. */
export function readScaling(file: string): Scaling {
  const fits = readScalingFits(file);
  if (typeof fits === "string") throw new MillraceError("FITS_UNREADABLE", fits);
  const by = (change: typeof transformScaled) => {
    const changed = scalingBy(fits, change);
    return (entity: Labels, series: string, of: ScaledKind, value: number) => {
      const number = changed(internEntity(entity).key, series, of, value);
      return Number.isFinite(number) ? number : null;
    };
  };
  return { scale: by(transformScaled), inverse: by(inverseScaled) };
}
