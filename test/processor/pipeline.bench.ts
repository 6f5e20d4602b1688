import { Subject } from "rxjs";
import { normal, randomStream } from "../../services/kernels/random.js";
import { featurePlan } from "../../services/processor/feature-plan.js";
import type { At } from "../../services/processor/operators/validate.js";
import { transform } from "../../services/processor/pipeline.js";
import { compileRules } from "../../services/processor/rules/compile-rules.js";
import { openFrameJudge } from "../../services/processor/rules/judge-frame.js";
import { openPartitionState } from "../../services/processor/state/partition-state.js";
import { parseConfig } from "../../services/shared/config.js";
import type { RawFrame } from "../../services/shared/frame.js";
import { internEntity, internSeries } from "../../services/shared/series.js";

/**
 * Processor time a sample of the whole pipeline between decoding and encoding, with windows of an hour that are full.
 * `node dist/test/processor/pipeline.bench.js`
 */

const INTERVAL_MS = 5_000;
const SERIES = 50;
const WARM_FRAMES = 800;
const FRAMES = 600;

function nanosecondsPerSample(transformText: string, type: "gauge" | "counter"): number {
  const config = parseConfig(transformText, "bench.yaml");
  const nothing = () => undefined;
  const rules = compileRules(config.transform.cleaning.rules);
  const settling = {
    plan: featurePlan(config),
    strict: true,
    judge: openFrameJudge(rules, { broken: nothing, failed: nothing }),
    count: nothing,
    onTypeChange: nothing,
  };
  const frames = new Subject<At<RawFrame>>();
  frames.pipe(transform(settling, openPartitionState())).subscribe();
  const labels = { job: "api", instance: "10.0.0.1:9100" };
  const series = Array.from({ length: SERIES }, (_, i) => internSeries(`metric_${i}`, labels, type));
  const random = randomStream(1, "bench", 0);
  const totals = new Float64Array(SERIES);
  const made = Array.from({ length: WARM_FRAMES + FRAMES }, (_, offset) => {
    const timestamp = 1_760_000_000_000 + offset * INTERVAL_MS;
    const gauge = () => 50 + 10 * Math.sin(offset / 200) + normal(random);
    const values = totals.map((_, i) => (type === "gauge" ? gauge() : (totals[i] += 10 * random())));
    const entity = internEntity(labels);
    const head = { entity, timestamp, origin: "live" as const, source: "", ingestedAt: timestamp };
    return { offset, frame: { ...head, series, values, stale: new Uint8Array(SERIES) } };
  });
  for (const frame of made.slice(0, WARM_FRAMES)) frames.next(frame);
  const before = process.cpuUsage();
  for (const frame of made.slice(WARM_FRAMES)) frames.next(frame);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / (FRAMES * SERIES);
}

const settings: Record<string, string> = {
  defaults: "",
  "rolling windows alone":
    "transform: { cleaning: { outlier_detection: none }, imputation: { method: none }, " +
    "feature_engineering: { slope_windows: [], momentum: [] } }",
  "isolation forest": "transform: { cleaning: { outlier_detection: isolation_forest } }",
  "robust z-score, removed":
    "transform: { cleaning: { outlier_detection: robust_zscore, outlier_action: remove } }",
};

for (const [name, text] of Object.entries(settings)) {
  for (const type of ["gauge", "counter"] as const)
    process.stdout.write(`${name}, ${type}: ${nanosecondsPerSample(text, type).toFixed(0)} ns a sample\n`);
}
