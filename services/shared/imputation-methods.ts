/** How gaps may be filled. */
export const imputationMethods = [
  "linear_interpolation",
  "forward_fill",
  "backward_fill",
  "seasonal",
  "mean",
  "median",
] as const;

export type ImputationMethod = (typeof imputationMethods)[number];

/** Keys of `transform.imputation` that say nothing to the other methods. */
export const imputationKeys = {
  limit_samples: ["forward_fill", "backward_fill"],
  limit_age: ["forward_fill", "backward_fill"],
  season_samples: ["seasonal"],
  window: ["seasonal", "mean", "median"],
} as const satisfies Record<string, readonly ImputationMethod[]>;
