const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*/;
const quoted = /^(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)/;
const operator = /^(?:=~|!~|!=|=)/;

/** One condition of a selector; the metric's name is the label `__name__`. A label that is not there is empty. */
export interface LabelMatcher {
  readonly label: string;
  readonly operator: "=" | "!=" | "=~" | "!~";
  readonly value: string;
}

/**
 * What is wrong with a PromQL instant vector selector: a metric name, or matchers in braces, or both. Null where nothing
 * is. It looks at the form only, and Prometheus has the last word. https://prometheus.io/docs/prometheus/latest/querying/basics/
 */
export function selectorProblem(selector: string): string | null {
  const parsed = parseSelector(selector);
  return typeof parsed === "string" ? parsed : null;
}

/** The same of a selector that Millrace itself matches series by: its regular expressions must be JavaScript's, too. */
export function matchProblem(selector: string): string | null {
  const parsed = parseSelector(selector);
  if (typeof parsed === "string") return parsed;
  const unknown = parsed.find(({ operator, value }) => operator.endsWith("~") && anchored(value) === null);
  return unknown === undefined
    ? null
    : `${JSON.stringify(unknown.value)} is no regular expression in the selector ${JSON.stringify(selector)}`;
}

/** A regular expression as Prometheus matches by it: the whole value, `.` any character; null where it is none. */
export function anchored(expression: string): RegExp | null {
  const ignoresCase = expression.startsWith("(?i)");
  try {
    return new RegExp(`^(?:${ignoresCase ? expression.slice(4) : expression})$`, ignoresCase ? "is" : "s");
  } catch {
    return null;
  }
}

/** The conditions of a selector, or what is wrong with it. */
export function parseSelector(selector: string): LabelMatcher[] | string {
  let rest = selector.trim();
  /** Takes the pattern off the front of what is left, and the blanks after it. */
  const take = (pattern: RegExp): string | null => {
    const match = pattern.exec(rest)?.[0] ?? null;
    if (match !== null) rest = rest.slice(match.length).trimStart();
    return match;
  };
  const problem = (what: string) => `${what} in the selector ${JSON.stringify(selector)}`;

  const name = take(metricName);
  const matchers: LabelMatcher[] = name === null ? [] : [{ label: "__name__", operator: "=", value: name }];
  let selects = name !== null;
  if (take(/^\{/) !== null) {
    while (take(/^\}/) === null) {
      if (rest === "") return problem("a closing brace is missing");
      const quotedName = take(quoted);
      const label = quotedName ?? take(labelName);
      if (label === null) return problem(`expected a label name before ${JSON.stringify(rest)}`);
      const matches = take(operator);
      if (matches === null) {
        // A quoted name alone is the metric's: {"a.metric", label="x"}.
        if (quotedName === null) return problem(`expected =, !=, =~ or !~ after the label ${label}`);
        if (name !== null) return problem("the metric is named twice");
        selects = true;
        matchers.push({ label: "__name__", operator: "=", value: unquote(quotedName) });
      } else {
        const value = take(quoted);
        if (value === null) return problem(`the value of the label ${label} must be in quotes`);
        if (name !== null && label === "__name__") return problem("the metric is named twice");
        selects ||= !matchesEmpty(matches, unquote(value));
        matchers.push({
          label: quotedName === null ? label : unquote(quotedName),
          operator: matches as LabelMatcher["operator"],
          value: unquote(value),
        });
      }
      if (take(/^,/) === null && !rest.startsWith("}")) {
        return problem(
          rest === "" ? "a closing brace is missing" : `expected , or } before ${JSON.stringify(rest)}`,
        );
      }
    }
  } else if (name === null) {
    return problem("expected a metric name or matchers in braces");
  }

  if (rest.startsWith("[")) return problem("a range in brackets (the poller adds its own)");
  if (/^(offset\b|@)/i.test(rest)) return problem("an offset or @ modifier (the poller sets the time)");
  if (rest.startsWith("(")) return problem("a function (only stored series can be read)");
  if (rest !== "")
    return problem(
      `an expression (${JSON.stringify(rest)} after the selector; only stored series can be read)`,
    );
  if (!selects) return problem("no metric name, nor a matcher that excludes the empty value,");
  return matchers;
}

/** The conditions of a selector that the configuration has accepted. */
export function matchersOf(selector: string): LabelMatcher[] {
  const matchers = parseSelector(selector);
  if (typeof matchers === "string") throw new Error(matchers);
  return matchers;
}

/** The series of one selector that another matches, too: all conditions of both. */
export function bothSelectors(one: string, other: string): string {
  return selectorText([...matchersOf(one), ...matchersOf(other)]);
}

/** The conditions as a selector, all in braces. */
export function selectorText(matchers: readonly LabelMatcher[]): string {
  const conditions = matchers.map(({ label, operator, value }) => {
    const isPlain = labelName.exec(label)?.[0] === label;
    return `${isPlain ? label : quotedText(label)}${operator}${quotedText(value)}`;
  });
  return `{${conditions.join(",")}}`;
}

function quotedText(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  return `"${escaped}"`;
}

const escapes: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

function unquote(value: string): string {
  const inner = value.slice(1, -1);
  return value.startsWith("`")
    ? inner
    : inner.replace(/\\(.)/gs, (_, escaped: string) => escapes.get(escaped) ?? escaped);
}

/** Whether a series without the label would match: Prometheus wants one matcher that such a series fails. */
function matchesEmpty(matches: string, value: string): boolean {
  if (matches === "=") return value === "";
  if (matches === "!=") return value !== "";
  const expression = anchored(value);
  // A form of RE2's that JavaScript does not know: Prometheus decides.
  return expression !== null && expression.test("") === (matches === "=~");
}
