import {
  type FrameExpression,
  type SampleExpression,
  compileFrameExpression,
  compileSampleExpression,
} from "../../shared/config-expression.js";
import type { Config } from "../../shared/config-schema.js";
import type { Series } from "../../shared/frame.js";
import { type SeriesMatch, compileMatch } from "../../shared/series-match.js";

/** The configured rules; of each, `rule` is its index in `names`. */
export interface CompiledRules {
  /** What a broken rule is called: `range.cpu_percent`. */
  readonly names: readonly string[];
  readonly ranges: readonly RangeRule[];
  readonly orders: readonly OrderRule[];
  readonly samples: readonly SampleRule[];
  readonly frames: readonly FrameRule[];
  readonly futureMsMax: number;
  /** Which rules are about a series: found once a series, and a cache without influence on any verdict. */
  readonly bySeries: WeakMap<Series, SeriesRules>;
}

export interface RangeRule {
  readonly rule: number;
  readonly match: SeriesMatch;
  /** ±Infinity for no bound. */
  readonly low: number;
  readonly high: number;
  readonly isExclusive: boolean;
}

export interface OrderRule {
  readonly rule: number;
  readonly ascending: readonly SeriesMatch[];
  readonly allowsEqual: boolean;
  /** The labels that are not compared, since a selector of the rule names them. */
  readonly named: ReadonlySet<string>;
}

export interface SampleRule {
  readonly rule: number;
  readonly match: SeriesMatch;
  readonly expression: SampleExpression;
}

export interface FrameRule {
  readonly rule: number;
  /** One for each selector of the expression. */
  readonly matches: readonly SeriesMatch[];
  readonly expression: FrameExpression;
}

/** What the rules want of one series. */
export interface SeriesRules {
  readonly ranges: readonly RangeRule[];
  readonly samples: readonly SampleRule[];
  /** Its places in orders: as which of the ascending, and what the others must have the same, as text. */
  readonly orders: readonly { order: OrderRule; place: number; group: string }[];
  readonly frames: readonly { frame: FrameRule; place: number }[];
}

/** The rules that need no configuration, and their indices. */
export const ownRules = { counter_negative: 0, time_in_future: 1 } as const;

type Rules = Config["transform"]["cleaning"]["rules"];

/** The rules of a configuration that was read, and whose expressions are therefore sound. */
export function compileRules({ range, order, sample, frame, future_max }: Rules): CompiledRules {
  const names = ["counter.negative", "time.in_future"];
  const add = (kind: string, name: string) => names.push(`${kind}.${name}`) - 1;
  return {
    names,
    ranges: Object.entries(range).map(([name, { match, min, max, exclusive }]) => ({
      rule: add("range", name),
      match: compileMatch(match),
      low: min ?? -Infinity,
      high: max ?? Infinity,
      isExclusive: exclusive,
    })),
    orders: Object.entries(order).map(([name, { ascending, equal }]) => {
      const matches = ascending.map(compileMatch);
      const named = new Set(matches.flatMap((match) => match.named));
      return { rule: add("order", name), ascending: matches, allowsEqual: equal, named };
    }),
    samples: Object.entries(sample).map(([name, { match, holds }]) => ({
      rule: add("sample", name),
      match: compileMatch(match),
      expression: sound(compileSampleExpression(holds)),
    })),
    frames: Object.entries(frame).map(([name, { holds }]) => {
      const expression = sound(compileFrameExpression(holds));
      return { rule: add("frame", name), matches: expression.selectors.map(compileMatch), expression };
    }),
    futureMsMax: future_max,
    bySeries: new WeakMap(),
  };
}

function sound<Expression>(compiled: Expression | string): Expression {
  if (typeof compiled === "string") throw new Error(compiled);
  return compiled;
}

/** Most series are about nothing that a rule judges, and share this. */
export const noRules: SeriesRules = { ranges: [], samples: [], orders: [], frames: [] };

export function rulesOf(rules: CompiledRules, series: Series): SeriesRules {
  let known = rules.bySeries.get(series);
  if (known === undefined) rules.bySeries.set(series, (known = findRules(rules, series)));
  return known;
}

function findRules({ ranges, samples, orders, frames }: CompiledRules, series: Series): SeriesRules {
  const isAbout = ({ match }: { match: SeriesMatch }) => match.captures(series) !== null;
  const found: SeriesRules = {
    ranges: ranges.filter(isAbout),
    samples: samples.filter(isAbout),
    orders: orders.flatMap((order) =>
      order.ascending.flatMap((match, place) => {
        const captures = match.captures(series);
        return captures === null ? [] : [{ order, place, group: groupOf(order, series, captures) }];
      }),
    ),
    frames: frames.flatMap((frame) =>
      frame.matches.flatMap((match, place) => (match.captures(series) === null ? [] : [{ frame, place }])),
    ),
  };
  return Object.values(found).every((list: readonly unknown[]) => list.length === 0) ? noRules : found;
}

/** What all values of one order must have the same. */
function groupOf({ named }: OrderRule, { metric, labels }: Series, captures: readonly string[]): string {
  const others = Object.entries(labels).filter(([label]) => !named.has(label));
  return JSON.stringify([captures, named.has("__name__") ? "" : metric, others]);
}
