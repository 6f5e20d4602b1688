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
  "onnx",
] as const;

export type ImputationMethod = (typeof imputationMethods)[number];

/** What of a time samples may be grouped by. */
export const timeGroups = ["minute", "hour"] as const;

export type TimeGroup = (typeof timeGroups)[number];

/** Keys of `transform.imputation` that say nothing to the other methods. */
export const imputationKeys = {
  limit_samples: ["forward_fill", "backward_fill"],
  limit_age: ["forward_fill", "backward_fill"],
  season_samples: ["seasonal"],
  window: ["seasonal", "mean", "median", "regression", "kmeans", "matrix_factorization", "onnx"],
  group_by: ["mean", "median"],
  group_time: ["mean", "median"],
  series_max: ["mean", "median", "regression", "kmeans", "matrix_factorization"],
  clusters: ["kmeans"],
  shrinkage: ["matrix_factorization"],
  model_path: ["onnx"],
  model_columns: ["onnx"],
} as const satisfies Record<string, readonly ImputationMethod[]>;
