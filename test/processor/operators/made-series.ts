import { featurePlan } from "../../../services/processor/feature-plan.js";
import { parseConfig } from "../../../services/shared/config.js";
import type { FeatureFrame, MetricType } from "../../../services/shared/frame.js";
import { type EmittedRow, rowKey } from "../naive-features.js";
import { fold, run } from "../emitted-rows.js";
import { START_MS, entityOf, frameOf } from "../made-input.js";

/** A plan of these steps over windows of few seconds, and nothing else. */
export function planOf(transform: object) {
  const off = {
    cleaning: { outlier_detection: "none" },
    imputation: { method: "none" },
    feature_engineering: {
      rolling_windows: ["10s"],
      aggregation_functions: ["mean"],
      rate_window: "10s",
      slope_windows: [],
      momentum: [],
      combined_rates: {},
    },
    lateness: "60s",
  };
  return featurePlan(parseConfig(JSON.stringify({ transform: { ...off, ...transform } }), "test.yaml"));
}

/** A sample of metric_0 of one entity, at a second. */
export interface Made {
  readonly second: number;
  readonly value: number;
  readonly type?: MetricType;
  readonly series?: number;
}

export const frame = ({ second, value, type = "gauge", series = 0 }: Made) =>
  frameOf({ entity: 0, tick: second, samples: [{ series, type, value, stale: false }] });

export interface Told {
  readonly emitted: readonly FeatureFrame[];
  /** The row of a series at a second; undefined where there is none in the end. */
  readonly row: (second: number, metric?: string) => EmittedRow | undefined;
}

/** What becomes of these samples, each a frame of its own. */
export async function told(samples: readonly Made[], plan: ReturnType<typeof planOf>): Promise<Told> {
  const { emitted } = await run(samples.map(frame), { plan, batches: [1] });
  const rows = fold(emitted);
  const { key } = entityOf(0);
  return {
    emitted,
    row: (second, metric = "metric_0") => rows.get(rowKey(key, `${metric}${key}`, START_MS + second * 1000)),
  };
}
