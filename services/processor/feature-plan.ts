import type { OutlierAction, OutlierMethod } from "../kernels/outlier-action.js";
import { fractionOf } from "../kernels/percentile.js";
import { type RollingPlan, rollingWidth } from "../kernels/rolling-features.js";
import { transformScaled } from "../kernels/scale/scalers.js";
import type { Config } from "../shared/config-schema.js";
import { featureColumns } from "../shared/feature-columns.js";
import type { Series } from "../shared/frame.js";
import { type Scaling, scalingBy } from "../shared/scaling-fits.js";
import { type ImportedForest, compileForests } from "./rules/imported-forests.js";
import { type SeriesMatch, compileMatch } from "../shared/series-match.js";
import { type FeatureGroup, featureGroups } from "./feature-groups.js";
import { type ImputationPlan, imputationPlan } from "./imputation-plan.js";

/** What is computed for each row, and how far back in event time that reaches. All durations in milliseconds. */
export interface FeaturePlan {
  /** What is computed across the series of an entity. */
  readonly combined: readonly CombinedRate[];
  /** Null: none are looked for. */
  readonly outliers: OutlierPlan | null;
  /** Null: gaps stay open. */
  readonly imputation: ImputationPlan | null;
  /** Null: what is missing from a frame is not asked. */
  readonly completeness: CompletenessPlan | null;
  /** Whether windows may see other values than those that outliers are judged by. */
  readonly changesValues: boolean;
  /** Names of the columns: those of the rolling windows and their slopes, of the groups, of the isolation forest, `scaled`, then `rate`. */
  readonly columns: readonly string[];
  readonly rolling: RollingPlan;
  /** How many columns `rolling` has. */
  readonly rollingWidth: number;
  readonly groups: readonly FeatureGroup[];
  /** Null: nothing is scaled. */
  readonly scaling: Scaling | null;
  readonly rateWindowMs: number;
  readonly largestWindowMs: number;
  /**
   * Law L3: what is older has no influence. The sum of all that is chained: the rate of a counter, the judgement of what is
   * removed or clipped, the far side of a gap, the window over what was filled in.
   */
  readonly lookbackMs: number;
  /** Law L5: what a sample touches is corrected at once if it is not later than this, measured by the entity's newest time. */
  readonly latenessMs: number;
  /** How much older than itself a row may be that a sample touches: those in the gap that it ends. */
  readonly reachBackMs: number;
}

/** A series of its own: the sum of the rates of others, or what share of it some of them are, in per cent. */
export interface CombinedRate {
  readonly metric: string;
  readonly sum: SeriesMatch;
  readonly share: SeriesMatch | null;
}

export interface OutlierPlan {
  readonly method: OutlierMethod;
  /** The one window that a sample is judged against, itself excluded. */
  readonly windowsMs: readonly [number];
  /** How often models are fitted, at multiples of it since 1970. */
  readonly epochMs: number;
  /** What is at least so much older than a sample has no influence on its verdict. */
  readonly reachMs: number;
  readonly action: OutlierAction;
  /** The forest, fitted elsewhere, that scores a series; null: one of its own does. Null as a whole: all have one of their own. */
  readonly importedForest: ((series: Series) => ImportedForest | null) | null;
}

export interface CompletenessPlan {
  /** Share of the expected series that may be missing. */
  readonly threshold: number;
  /** Whether rows of incomplete frames are left out. */
  readonly drops: boolean;
  /** A sample that is at least so much older than a frame says nothing of what it should have. */
  readonly lookbackMs: number;
}

/** Models are fitted so often, each to a whole window. */
const EPOCHS_PER_WINDOW = 4;
/** What is due is told from samples within this. */
const COMPLETENESS_LOOKBACK_MS = 600_000;

export function featurePlan(config: Config): FeaturePlan {
  const { cleaning, feature_engineering, scaling, lateness } = config.transform;
  const { rolling_windows, aggregation_functions, percentiles, rate_window, slope_windows } =
    feature_engineering;
  const windowsMs = rolling_windows.map(({ ms }) => ms);
  const slopeWindowsMs = slope_windows.map(({ ms }) => ms);
  const rolling: RollingPlan = {
    windowsMs,
    mean: aggregation_functions.includes("mean"),
    standardDeviation: aggregation_functions.includes("std"),
    fractions: aggregation_functions.includes("percentile") ? percentiles.map(fractionOf) : [],
    minimum: aggregation_functions.includes("min"),
    maximum: aggregation_functions.includes("max"),
    count: aggregation_functions.includes("count"),
    medianAbsoluteDeviation: aggregation_functions.includes("mad"),
    coefficientOfVariation: aggregation_functions.includes("cv"),
    slopeWindowsMs,
  };
  const groups = featureGroups(config);
  const largestWindowMs = Math.max(
    ...windowsMs,
    ...slopeWindowsMs,
    ...groups.map(({ lookbackMs }) => lookbackMs),
  );
  const columns = featureColumns(config);
  const outliers = outlierPlan(cleaning);
  const filling = imputationPlan(config);
  const outlierMs = outliers?.reachMs ?? 0;
  const chainedMs =
    (outliers === null || outliers.action === "flag" ? 0 : outlierMs) +
    (filling === null ? 0 : filling.maxGapMs + Math.max(filling.reachMs, filling.intervalLookbackMs)) +
    largestWindowMs;
  const lookbackMs = rate_window + Math.max(chainedMs, outlierMs);
  return {
    combined: Object.entries(feature_engineering.combined_rates).map(([metric, { sum, share }]) => ({
      metric,
      sum: compileMatch(sum),
      share: share === undefined ? null : compileMatch(share),
    })),
    outliers,
    imputation: filling,
    completeness: completenessPlan(cleaning, lookbackMs),
    changesValues: filling !== null || (outliers !== null && outliers.action !== "flag"),
    columns,
    rolling,
    rollingWidth: rollingWidth(rolling),
    groups,
    scaling: scaling === undefined ? null : scalingBy(scaling.fits_file.content, transformScaled),
    rateWindowMs: rate_window,
    largestWindowMs,
    lookbackMs,
    latenessMs: lateness,
    reachBackMs: filling?.maxGapMs ?? 0,
  };
}

function completenessPlan(
  { missing_value_threshold: threshold, incomplete_rows }: Config["transform"]["cleaning"],
  lookbackMs: number,
): CompletenessPlan | null {
  if (threshold === 1) return null;
  const drops = incomplete_rows === "drop";
  return { threshold, drops, lookbackMs: Math.min(COMPLETENESS_LOOKBACK_MS, lookbackMs) };
}

function outlierPlan(cleaning: Config["transform"]["cleaning"]): OutlierPlan | null {
  if (cleaning.outlier_detection === "none") return null;
  const { outlier_detection: method, outlier_action: action, outlier_window } = cleaning;
  const epochMs = outlier_window.ms / EPOCHS_PER_WINDOW;
  const reachMs = outlier_window.ms + (method === "isolation_forest" ? epochMs : 0);
  const importedForest = method === "isolation_forest" ? compileForests(cleaning.isolation_forests) : null;
  return { method, action, windowsMs: [outlier_window.ms], epochMs, reachMs, importedForest };
}
