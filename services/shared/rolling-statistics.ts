/** Statistics of a window, in the order of their columns; `percentile` stands for as many as are configured. */
export const rollingStatistics = ["mean", "std", "percentile", "min", "max", "count", "mad", "cv"] as const;
