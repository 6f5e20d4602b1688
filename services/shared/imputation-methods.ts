/** How gaps may be filled. */
export const imputationMethods = [
  "linear_interpolation",
  "forward_fill",
  "backward_fill",
  "seasonal",
  "mean",
  "median",
  "regression",
  "kmeans",
  "matrix_factorization",
] as const;

export type ImputationMethod = (typeof imputationMethods)[number];

/** Keys of `transform.imputation` that say nothing to the other methods. */
export const imputationKeys = {
  limit_samples: ["forward_fill", "backward_fill"],
  limit_age: ["forward_fill", "backward_fill"],
  season_samples: ["seasonal"],
  window: ["seasonal", "mean", "median", "regression", "kmeans", "matrix_factorization"],
  series_max: ["regression", "kmeans", "matrix_factorization"],
  clusters: ["kmeans"],
  shrinkage: ["matrix_factorization"],
} as const satisfies Record<string, readonly ImputationMethod[]>;
