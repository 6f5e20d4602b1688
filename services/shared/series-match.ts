import { type LabelMatcher, anchored, matchersOf } from "./config-selector.js";
import type { Series } from "./frame.js";

/** What a selector looks at. */
export type Named = Pick<Series, "metric" | "labels">;

/** A selector of the configuration, compiled. */
export interface SeriesMatch {
  /** The labels that it asks for a value or a form of, the metric's name as `__name__`. */
  readonly named: readonly string[];
  /** What the regular expressions captured, in the order of the selector; null where the series does not match. */
  readonly captures: (series: Named) => readonly string[] | null;
}

/** The selector must be one that the configuration accepts. */
export function compileMatch(selector: string): SeriesMatch {
  const matchers = matchersOf(selector);
  const tests = matchers.map(compileMatcher);
  return {
    named: matchers.filter(({ operator }) => !operator.startsWith("!")).map(({ label }) => label),
    captures: (series) => {
      const captured: string[] = [];
      return tests.every((test) => test(series, captured)) ? captured : null;
    },
  };
}

/** Whether the series has what the matcher asks for; adds to `captured`. */
type MatcherTest = (series: Named, captured: string[]) => boolean;

function compileMatcher({ label, operator, value }: LabelMatcher): MatcherTest {
  if (operator === "=") return (series) => labelOf(series, label) === value;
  if (operator === "!=") return (series) => labelOf(series, label) !== value;
  const expression = anchored(value);
  if (expression === null) throw new Error(`${value} is no regular expression`);
  if (operator === "!~") return (series) => !expression.test(labelOf(series, label));
  return (series, captured) => {
    const match = expression.exec(labelOf(series, label));
    if (match === null) return false;
    for (const group of match.slice(1) as (string | undefined)[]) captured.push(group ?? "");
    return true;
  };
}

/** Empty where the series has no such label, as in Prometheus. */
export function labelOf({ metric, labels }: Named, label: string): string {
  if (label === "__name__") return metric;
  return Object.hasOwn(labels, label) ? labels[label] : "";
}
