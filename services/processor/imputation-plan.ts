import { placeIn } from "../shared/config.js";
import type { Config } from "../shared/config-schema.js";
import { type Imputer, imputerOf } from "./imputers.js";
import { openEstimate } from "./onnx-estimate.js";

/** How gaps are filled: each between two samples that windows see, once the later of them has come. Durations in milliseconds. */
export interface ImputationPlan {
  /** Longer gaps stay wholly open. */
  readonly maxGapMs: number;
  /** How often a sample is expected; null: as often as before the gap, as far back as `intervalLookbackMs`. */
  readonly intervalMs: number | null;
  readonly intervalLookbackMs: number;
  /** How far before the gap its filler looks at any sample. */
  readonly reachMs: number;
  readonly imputer: Imputer;
}

/** A gap is more than so many intervals without a sample: a scrape more or less late is none. */
export const GAP_INTERVALS = 1.5;

/** How old what another series was may be, in whole milliseconds, where a sample is expected so often. */
export function ageLimitMs(intervalMs: number): number {
  return Math.floor(GAP_INTERVALS * intervalMs);
}

/** An interval is told from samples within this. */
const INTERVAL_LOOKBACK_MS = 600_000;

/** Null where gaps stay open. Loads the model that is configured; throws MODEL_UNREADABLE, MODEL_SHAPE. */
export function imputationPlan(config: Config): ImputationPlan | null {
  const { imputation } = config.transform;
  const { method, max_gap_minutes, interval } = imputation;
  if (method === "none") return null;
  const place = () => placeIn(config, ["transform", "imputation", "model_path"]);
  const imputer = imputerOf({ ...imputation, method }, (file, columns) =>
    openEstimate(file, columns, place()),
  );
  // Of five distances within the lookback, the median is less than a third.
  const intervalMs = interval === "auto" ? INTERVAL_LOOKBACK_MS / 3 : interval;
  return {
    maxGapMs: max_gap_minutes * 60_000,
    intervalMs: interval === "auto" ? null : interval,
    intervalLookbackMs: interval === "auto" ? INTERVAL_LOOKBACK_MS : 0,
    reachMs: imputer.lookbackMs + (imputer.columnsOf === null ? 0 : ageLimitMs(intervalMs)),
    imputer,
  };
}
