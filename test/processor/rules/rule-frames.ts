import { type CompiledRules, compileRules } from "../../../services/processor/rules/compile-rules.js";
import {
  type FrameJudge,
  type RuleReport,
  openFrameJudge,
} from "../../../services/processor/rules/judge-frame.js";
import { validate } from "../../../services/processor/operators/validate.js";
import { parseConfig } from "../../../services/shared/config.js";
import type { MetricType, RawFrame } from "../../../services/shared/frame.js";
import { internEntity, internSeries } from "../../../services/shared/series.js";
import { parseSelector } from "../../../services/shared/config-selector.js";
import { of } from "rxjs";

export const AT_MS = 1_760_000_000_000;

/** The rules of a configuration's section; where a kind is not given there is none of it. */
export function rulesOf(rules: object): CompiledRules {
  const none = { range: {}, order: {}, sample: {}, frame: {} };
  return compileRules(configuredRules({ ...none, ...rules }));
}

export function configuredRules(rules: object) {
  const text = JSON.stringify({ transform: { cleaning: { rules } } });
  return parseConfig(text, "test.yaml").transform.cleaning.rules;
}

export interface Sample {
  /** As a selector names it: `a{b="c"}`. */
  readonly series: string;
  readonly value: number;
  readonly type?: MetricType;
  readonly stale?: boolean;
}

export function frameOf(samples: readonly Sample[], ingestedAt = AT_MS, entity = "a"): RawFrame {
  return {
    entity: internEntity({ job: entity }),
    timestamp: AT_MS,
    origin: "live",
    source: "test",
    ingestedAt,
    series: samples.map(({ series, type = "gauge" }) => seriesOf(series, type)),
    values: Float64Array.from(samples, ({ value }) => value),
    stale: Uint8Array.from(samples, ({ stale = false }) => Number(stale)),
  };
}

export function seriesOf(selector: string, type: MetricType = "gauge") {
  const matchers = parseSelector(selector);
  if (typeof matchers === "string") throw new Error(matchers);
  const labels = Object.fromEntries(matchers.map(({ label, value }) => [label, value]));
  const { __name__: metric, ...others } = labels;
  return internSeries(metric, others, type);
}

/** What a judge says of a frame: its flags, and `rule sample` for each broken or failed rule. */
export interface Judgement {
  readonly flags: number[];
  readonly broken: string[];
  readonly failed: string[];
}

/** A judge that remembers, and what it is told of the next frame. */
export function openJudge(rules: CompiledRules): (frame: RawFrame) => Judgement {
  let broken: string[] = [];
  let failed: string[] = [];
  const report: RuleReport = {
    broken: (rule, sample) => broken.push(`${rules.names[rule]} ${sample}`),
    failed: (rule, sample) => failed.push(`${rules.names[rule]} ${sample}`),
  };
  const judge: FrameJudge = openFrameJudge(rules, report);
  return (frame) => {
    broken = [];
    failed = [];
    let flags: number[] = [];
    of({ offset: 0, frame })
      .pipe(validate(judge))
      .subscribe((clean) => (flags = [...clean.frame.flags]));
    return { flags, broken, failed };
  };
}

export function judged(rules: CompiledRules, samples: readonly Sample[], ingestedAt = AT_MS): Judgement {
  return openJudge(rules)(frameOf(samples, ingestedAt));
}
