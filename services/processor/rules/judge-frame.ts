import { markDisorder } from "../../kernels/validate/ascending.js";
import { isOutside } from "../../kernels/validate/range.js";
import { temporalFaults } from "../../kernels/validate/temporal.js";
import type { SampleVariables } from "../../shared/config-expression.js";
import { type Entity, type RawFrame, flagBits } from "../../shared/frame.js";
import { type CompiledRules, ownRules } from "./compile-rules.js";
import {
  type FrameCheck,
  type FramePlan,
  type OrderCheck,
  type RangeChecks,
  type SampleCheck,
  fits,
  planFrame,
} from "./frame-plan.js";

/** Who is told, by indices in `names` and in the frame. */
export interface RuleReport {
  readonly broken: (rule: number, sample: number) => void;
  /** The rule's expression failed, or gave no boolean; the sample is not flagged. */
  readonly failed: (rule: number, sample: number) => void;
}

/** Sets `flagBits.invalid` where a sample breaks a rule. `flags` holds what `sampleFlags` said of each sample. */
export type FrameJudge = (frame: RawFrame, flags: Int32Array) => void;

/** Frames of an entity that several jobs read come in as many shapes in turn. */
const PLANS_PER_ENTITY = 4;

const noValue = flagBits.stale | flagBits.not_finite;
/** No sample before: what has to do with it is not judged frame by frame. */
const alone = { gapMsMax: Infinity, lookbackMs: Infinity };

/**
 * Judges frames, each by itself: a verdict is a function of the frame and the rules only. What is kept from frame to
 * frame is which rules are about which samples.
 */
export function openFrameJudge(rules: CompiledRules, report: RuleReport): FrameJudge {
  const plans = new WeakMap<Entity, FramePlan[]>();
  const limits = { ...alone, futureMsMax: rules.futureMsMax };
  const variables: SampleVariables = { value: 0, metric: "", labels: {}, metric_type: "", timestamp: 0n };
  const disorder = new Uint8Array(Math.max(0, ...rules.orders.map(({ ascending }) => ascending.length)));
  return (frame, flags) => {
    const { ranges, orders, samples, frames } = planOf(rules, plans, frame);
    reportOwn(flags, report);
    if (temporalFaults(frame.timestamp, NaN, frame.ingestedAt, limits) !== 0) markFuture(flags, report);
    if (ranges.places.length > 0) judgeRanges(ranges, frame, flags, report);
    for (const check of orders) judgeOrder(check, frame, flags, disorder, report);
    if (samples.length > 0) judgeSamples(samples, frame, flags, variables, report);
    for (const check of frames) judgeWhole(check, frame, flags, report);
  };
}

function planOf(
  rules: CompiledRules,
  plans: WeakMap<Entity, FramePlan[]>,
  { entity, series }: RawFrame,
): FramePlan {
  let known = plans.get(entity);
  if (known === undefined) plans.set(entity, (known = []));
  for (let i = 0; i < known.length; i++) if (fits(known[i], series)) return known[i];
  const plan = planFrame(rules, series);
  if (known.length === PLANS_PER_ENTITY) known.shift();
  known.push(plan);
  return plan;
}

function reportOwn(flags: Int32Array, { broken }: RuleReport): void {
  for (let i = 0; i < flags.length; i++) {
    if ((flags[i] & flagBits.invalid) !== 0) broken(ownRules.counter_negative, i);
  }
}

function markFuture(flags: Int32Array, { broken }: RuleReport): void {
  for (let i = 0; i < flags.length; i++) {
    if ((flags[i] & flagBits.stale) !== 0) continue;
    flags[i] |= flagBits.invalid;
    broken(ownRules.time_in_future, i);
  }
}

function judgeRanges(
  { places, rules, lows, highs, exclusive }: RangeChecks,
  { values }: RawFrame,
  flags: Int32Array,
  { broken }: RuleReport,
): void {
  for (let k = 0; k < places.length; k++) {
    const at = places[k];
    if ((flags[at] & noValue) !== 0 || !isOutside(values[at], lows[k], highs[k], exclusive[k] === 1))
      continue;
    flags[at] |= flagBits.invalid;
    broken(rules[k], at);
  }
}

function judgeOrder(
  { order, places }: OrderCheck,
  { values }: RawFrame,
  flags: Int32Array,
  disorder: Uint8Array,
  { broken }: RuleReport,
): void {
  if (lacksValue(places, flags)) return;
  if (!markDisorder(values, places, 0, places.length, order.allowsEqual, disorder)) return;
  for (let k = 0; k < places.length; k++) {
    if (disorder[k] === 0) continue;
    flags[places[k]] |= flagBits.invalid;
    broken(order.rule, places[k]);
  }
}

function judgeSamples(
  checks: readonly SampleCheck[],
  { series, values, timestamp }: RawFrame,
  flags: Int32Array,
  variables: SampleVariables,
  { broken, failed }: RuleReport,
): void {
  variables.timestamp = BigInt(timestamp);
  for (let k = 0; k < checks.length; k++) {
    const { sample, place } = checks[k];
    if ((flags[place] & noValue) !== 0) continue;
    const { metric, labels, type } = series[place];
    variables.value = values[place];
    variables.metric = metric;
    variables.labels = labels;
    variables.metric_type = type;
    const holds = sample.expression.holds(variables);
    if (holds === null) failed(sample.rule, place);
    if (holds !== false) continue;
    flags[place] |= flagBits.invalid;
    broken(sample.rule, place);
  }
}

function judgeWhole(
  { frame, places, values }: FrameCheck,
  { values: all, timestamp }: RawFrame,
  flags: Int32Array,
  { broken, failed }: RuleReport,
): void {
  if (lacksValue(places, flags)) return;
  for (let k = 0; k < places.length; k++) values[k] = all[places[k]];
  const holds = frame.expression.holds(values, BigInt(timestamp));
  if (holds === null) failed(frame.rule, places[0]);
  if (holds !== false) return;
  for (let k = 0; k < places.length; k++) {
    flags[places[k]] |= flagBits.invalid;
    broken(frame.rule, places[k]);
  }
}

function lacksValue(places: Int32Array, flags: Int32Array): boolean {
  for (let k = 0; k < places.length; k++) if ((flags[places[k]] & noValue) !== 0) return true;
  return false;
}
