import type { FeaturePlan } from "../processor/feature-plan.js";
import type { Config } from "../shared/config-schema.js";
import { MillraceError, exitCodes } from "../shared/errors.js";
import { chosenText, openChoice } from "./explain-choice.js";
import { pointLine } from "./explain-json.js";
import { openPoints } from "./explain-points.js";
import { headerLines, pointLines } from "./explain-text.js";
import { type Explained, isoTime } from "./explain-words.js";
import { interrupted, nameOf, readFrames } from "./read-frames.js";
import type { Terminal } from "./terminal.js";
import { timeOf } from "./time-option.js";

export interface ExplainOptions {
  /** A file, or `-` for standard input. */
  readonly input: string;
  readonly at?: string;
  readonly entity?: string;
  readonly json?: boolean;
}

/** What the processor's operators decided of one series, time by time, and by which samples. */
export async function runExplain(
  config: Config,
  selector: string,
  options: ExplainOptions,
  terminal: Terminal,
): Promise<number> {
  const isStopped = () => terminal.stopping.aborted;
  const wantedMs = options.at === undefined ? null : timeOf(options.at, "--at");
  const choice = openChoice(selector, options.entity);
  const explained = openPoints(config, choice, wantedMs);
  const read = await readFrames(config, options, terminal, explained.add);
  if (isStopped()) return interrupted(terminal, read);

  const chosen = choice.theOne(nameOf(options.input));
  if (wantedMs !== null && explained.points.size === 0)
    throw new MillraceError("USAGE_INVALID", nothingAt(wantedMs, chosenText(chosen), explained.times));
  const points = [...explained.points.values()].sort((a, b) => a.timestamp - b.timestamp);
  const how = explainedBy(config, explained.plan);
  const isJson = options.json === true;
  if (!isJson) await terminal.print(headerLines(chosen, points).join("\n"));
  for (const point of points) {
    // After an interruption nothing is printed any more.
    await terminal.print(isJson ? pointLine(chosen, point, how) : ["", ...pointLines(point, how)].join("\n"));
  }
  return isStopped() ? interrupted(terminal, read) : exitCodes.ok;
}

function explainedBy(config: Config, plan: FeaturePlan): Explained {
  const { cleaning, imputation } = config.transform;
  return {
    strict: cleaning.validation_rules === "strict",
    drops: plan.completeness?.drops ?? false,
    imputation: imputation.method,
    maxGapMs: plan.imputation?.maxGapMs ?? 0,
    columns: plan.columns,
  };
}

function nothingAt(wantedMs: number, series: string, times: ReadonlySet<number>): string {
  const sorted = [...times].sort((a, b) => a - b);
  const next = sorted.findIndex((time) => time > wantedMs);
  const near = next < 0 ? sorted.slice(-1) : sorted.slice(Math.max(0, next - 1), next + 1);
  return `${series} has nothing at ${isoTime(wantedMs)}; the nearest are ${near.map(isoTime).join(" and ")}.`;
}
