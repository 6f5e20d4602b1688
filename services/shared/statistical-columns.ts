import {
  type StatisticsPlan,
  fixedNames,
  statisticalNames,
} from "../kernels/statistics/statistical-features.js";

/** tsfresh's names of the features that a configuration may ask for. */
export const statisticalFeatureNames = [
  ...fixedNames,
  "autocorrelation",
  "number_peaks",
  "ratio_beyond_r_sigma",
] as const;

/** What is computed for the statistics that a configuration asks for. */
export interface StatisticalColumns {
  readonly plan: StatisticsPlan;
  /** Names of the columns, in the order in which they are computed. */
  readonly columns: readonly string[];
  /** Where each of them is among all that the plan computes. */
  readonly places: readonly number[];
}

/** As the configuration has them. */
interface Statistics {
  readonly window: { readonly name: string };
  readonly features: readonly (typeof statisticalFeatureNames)[number][];
  readonly lags: readonly number[];
  readonly supports: readonly number[];
  readonly sigmas: readonly number[];
}

export function statisticalColumns({
  window,
  features,
  lags,
  supports,
  sigmas,
}: Statistics): StatisticalColumns {
  const isWanted = (name: string) => features.some((feature) => feature === name);
  const plan: StatisticsPlan = {
    lags: isWanted("autocorrelation") ? lags : [],
    supports: isWanted("number_peaks") ? supports : [],
    sigmas: isWanted("ratio_beyond_r_sigma") ? sigmas : [],
  };
  const isFixed = (name: string) => fixedNames.some((fixed) => fixed === name);
  const wanted = statisticalNames(plan)
    .map((name, place) => ({ name, place }))
    .filter(({ name }) => !isFixed(name) || isWanted(name));
  return {
    plan,
    columns: wanted.map(({ name }) => `${name.replace(".", "_")}_${window.name}`),
    places: wanted.map(({ place }) => place),
  };
}
