import { of } from "rxjs";
import type { Scaler } from "../kernels/scale/scalers.js";
import { type FeaturePlan, featurePlan } from "../processor/feature-plan.js";
import { transform } from "../processor/pipeline.js";
import { compileRules } from "../processor/rules/compile-rules.js";
import { openFrameJudge } from "../processor/rules/judge-frame.js";
import { openPartitionState } from "../processor/state/partition-state.js";
import type { Config } from "../shared/config-schema.js";
import { MillraceError, exitCodes } from "../shared/errors.js";
import { fitsLines } from "../shared/scaling-fits.js";
import { openFitColumns } from "./fit-columns.js";
import { openOutput } from "./open-output.js";
import { countText } from "./quantities.js";
import { interrupted, nameOf, readFrames } from "./read-frames.js";
import type { Terminal } from "./terminal.js";
import { timeOf } from "./time-option.js";

export interface FitOptions {
  /** A file, or `-` for standard input. */
  readonly input: string;
  /** A file, or `-` for standard output. */
  readonly output: string;
  readonly scaler: Scaler;
  /** The first and the last time of what is fitted to; all without them. */
  readonly from?: string;
  readonly to?: string;
}

/** Fits a scaler to what windows see of each series, once frames have gone through the processor's operators. */
export async function runFit(config: Config, options: FitOptions, terminal: Terminal): Promise<number> {
  const { from, to, scaler } = options;
  const fromMs = from === undefined ? -Infinity : timeOf(from, "--from");
  const toMs = to === undefined ? Infinity : timeOf(to, "--to");
  if (fromMs > toMs) throw new MillraceError("USAGE_INVALID", `--from ${from} is after --to ${to}.`);
  const plan = fittingPlan(config);
  const columns = openFitColumns(fromMs, toMs);
  const scaled = plan.columns.indexOf("scaled");
  const nothing = () => undefined;
  const rules = compileRules(config.transform.cleaning.rules);
  const settling = {
    plan,
    strict: config.transform.cleaning.validation_rules === "strict",
    judge: openFrameJudge(rules, { broken: nothing, failed: nothing }),
    count: nothing,
    onTypeChange: nothing,
  };
  const operator = transform(settling, openPartitionState());
  const output = openOutput(options.output, terminal);
  let offset = 0;
  let fits = 0;
  try {
    await readFrames(config, options, terminal, (frame) => {
      of({ offset: offset++, frame })
        .pipe(operator)
        .subscribe((rows) => columns.add(rows, scaled));
    });
    terminal.stopping.throwIfAborted();
    const fitted = function* () {
      for (const fit of columns.fits(scaler)) {
        fits++;
        yield fit;
      }
    };
    for (const line of fitsLines(fitted())) await output.write(line);
    if (fits === 0)
      throw new MillraceError(
        "USAGE_INVALID",
        `${nameOf(options.input)} has no value to fit to between these times.`,
      );
    await output.complete();
  } catch (error) {
    output.abandon();
    if (terminal.stopping.aborted) return interrupted(terminal, offset);
    throw error;
  }
  process.stderr.write(`${countText(offset)} frames → ${countText(fits)} fits by ${scaler}\n`);
  return exitCodes.ok;
}

/** What is cleaned and filled is as the configuration has it; of features there is only what windows see, as `scaled`. */
function fittingPlan(config: Config): FeaturePlan {
  const { feature_engineering: features, ...others } = config.transform;
  const { rolling_windows, rate_window, combined_rates, percentiles, momentum_tolerance } = features;
  const plan = featurePlan({
    ...config,
    transform: {
      ...others,
      feature_engineering: {
        rolling_windows: rolling_windows.slice(0, 1),
        aggregation_functions: ["count"],
        percentiles,
        rate_window,
        slope_windows: [],
        momentum: [],
        momentum_tolerance,
        combined_rates,
      },
      scaling: undefined,
    },
  });
  const beforeRate = plan.columns.length - 1;
  return {
    ...plan,
    columns: plan.columns.toSpliced(beforeRate, 0, "scaled"),
    scaling: (_entityKey, _seriesKey, _kind, value) => value,
  };
}
