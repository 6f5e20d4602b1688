/**
 * What happens to an outlier: `flag` leaves the value, `remove` makes it missing, for an imputer to fill, `clip` moves it to the
 * nearer fence.
 */
export const outlierActions = ["flag", "remove", "clip"] as const;
export type OutlierAction = (typeof outlierActions)[number];

/** How outliers are found. */
export const outlierMethods = ["iqr", "zscore", "robust_zscore", "isolation_forest"] as const;
export type OutlierMethod = (typeof outlierMethods)[number];

/**
 * Why a method's outliers cannot be dealt with so, or null. An isolation forest has no fences: it finds values between two
 * levels, and rows of which each value alone is usual, which clipping to any fence would leave as they are.
 */
export function actionRefusal(method: OutlierMethod, action: OutlierAction): string | null {
  return method === "isolation_forest" && action === "clip"
    ? "isolation_forest has no fences to clip to: use flag or remove"
    : null;
}

/** The value that takes an outlier's place; the fences are those that its verdict wrote. */
export function treatedOutlier(action: OutlierAction, value: number, low: number, high: number): number {
  if (action === "remove") return NaN;
  return action === "clip" ? Math.max(low, Math.min(high, value)) : value;
}
