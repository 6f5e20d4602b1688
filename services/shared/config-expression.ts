import { Environment, EvaluationError, ParseError, TypeError as CelTypeError } from "@marcbachmann/cel-js";
import type { Labels } from "./frame.js";
import { matchProblem } from "./config-selector.js";

/**
 * Rules in CEL, the Common Expression Language (https://cel.dev), compiled and type-checked when the configuration is
 * read. CEL has numbers, text, maps and lists, no loops but over these, and no way out of the expression.
 */

/** What an expression about one sample can speak of. */
export interface SampleVariables {
  value: number;
  metric: string;
  labels: Labels;
  /** CEL keeps `type` for itself. */
  metric_type: string;
  /** Milliseconds since the epoch. */
  timestamp: bigint;
}

/** Whether a rule holds; null where the expression failed, or gave no boolean. */
export type Verdict = boolean | null;

export interface SampleExpression {
  /** Never throws. The variables are read, not kept. */
  readonly holds: (variables: SampleVariables) => Verdict;
}

export interface FrameExpression {
  /** The selectors that the expression calls `v` with, in the order of their first mention. */
  readonly selectors: readonly string[];
  /** `values[i]` is what `v` gives for `selectors[i]`. Never throws. */
  readonly holds: (values: Float64Array, timestamp: bigint) => Verdict;
}

/** Far beyond what a rule needs, and small enough that one costs little. */
const limits = { maxAstNodes: 1_000, maxDepth: 50, maxListElements: 1_000, maxMapEntries: 1_000 };

const environment = () => new Environment({ unlistedVariablesAreDyn: false, limits });

/** The rule, or what is wrong with it. */
export function compileSampleExpression(expression: string): SampleExpression | string {
  const compiled = compile(
    expression,
    environment()
      .registerVariable("value", "double")
      .registerVariable("metric", "string")
      .registerVariable("labels", "map<string, string>")
      .registerVariable("metric_type", "string")
      .registerVariable("timestamp", "int"),
  );
  if (typeof compiled === "string") return compiled;
  return { holds: (variables) => verdict(compiled, variables) };
}

/** The rule, or what is wrong with it. */
export function compileFrameExpression(expression: string): FrameExpression | string {
  const selectors: string[] = [];
  let current: Float64Array = new Float64Array();
  const compiled = compile(
    expression,
    environment()
      .registerVariable("timestamp", "int")
      .registerFunction("v(string): double", (selector: string) => current[selectors.indexOf(selector)]),
  );
  if (typeof compiled === "string") return compiled;
  for (const { args, start } of callsOf("v", compiled.ast)) {
    const selector = (args[0] as { args: unknown }).args;
    const problem =
      typeof selector === "string"
        ? matchProblem(selector)
        : "`v` takes a selector in quotes, no other expression";
    if (problem !== null) return `${problem}${placeIn(expression, start)}`;
    if (!selectors.includes(selector as string)) selectors.push(selector as string);
  }
  if (selectors.length === 0) return "the expression names no metric: `v` gives the value of one";
  return {
    selectors,
    holds: (values, timestamp) => {
      current = values;
      return verdict(compiled, { timestamp });
    },
  };
}

type Compiled = ReturnType<Environment["parse"]>;

function compile(expression: string, inEnvironment: Environment): Compiled | string {
  try {
    const compiled = inEnvironment.parse(expression);
    const { valid, type, error } = compiled.check();
    if (!valid) return problemOf(error, expression);
    // What only an evaluation can tell is judged there.
    if (type === "bool" || type === "dyn") return compiled;
    return `the expression must be true or false; it gives ${type ?? "nothing"}`;
  } catch (error) {
    return problemOf(error, expression);
  }
}

function problemOf(error: unknown, expression: string): string {
  if (!(error instanceof ParseError || error instanceof CelTypeError || error instanceof EvaluationError))
    return error instanceof Error ? error.message : String(error);
  const mixes = ["double", "int"].every((type) => error.summary.includes(type));
  const hint = mixes ? " (a value is a double: write its numbers with a point, such as 1.0)" : "";
  return `${error.summary}${hint}${placeIn(expression, error.range?.start ?? 0)}`;
}

/** ` at character 9 of the expression`, counted from 1. */
function placeIn(expression: string, offset: number): string {
  const before = expression.slice(0, offset).split("\n");
  const line = before.length > 1 ? `line ${before.length}, ` : "";
  return ` at ${line}character ${before[before.length - 1].length + 1} of the expression`;
}

function verdict(compiled: Compiled, variables: object): Verdict {
  try {
    const result: unknown = compiled(variables);
    return typeof result === "boolean" ? result : null;
  } catch {
    return null;
  }
}

/** The calls of a function in a syntax tree, whose nodes hold their operands in `args`, in lists or by themselves. */
function callsOf(name: string, node: unknown): { args: readonly unknown[]; start: number }[] {
  if (Array.isArray(node)) return node.flatMap((item) => callsOf(name, item));
  if (typeof node !== "object" || node === null || !("op" in node && "args" in node)) return [];
  const { op, args } = node;
  const inner = callsOf(name, args);
  if (op !== "call" || !Array.isArray(args) || args[0] !== name) return inner;
  const { start } = node as unknown as { start: number };
  return [{ args: args[1] as readonly unknown[], start }, ...inner];
}
