import { MillraceError } from "./errors.js";

/** A piece of a template: text, or the place of a parameter and the quote that it stands in, if any. */
type Piece =
  { readonly text: string } | { readonly parameter: string; readonly quote: '"' | "'" | "`" | null };

const placeholder = /^\{\{\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*\}\}/;

/** PromQL with `{{name}}` where parameters go; what is wrong with it as text. */
function parseTemplate(template: string): Piece[] | string {
  const pieces: Piece[] = [];
  let quote: '"' | "'" | "`" | null = null;
  let text = "";
  for (let at = 0; at < template.length;) {
    const rest = template.slice(at);
    const found = placeholder.exec(rest);
    if (found !== null) {
      pieces.push({ text }, { parameter: found[1], quote });
      text = "";
      at += found[0].length;
      continue;
    }
    if (rest.startsWith("{{")) return `no parameter begins with ${JSON.stringify(rest.slice(0, 20))}`;
    const isEscape = quote !== null && quote !== "`" && rest.startsWith("\\");
    const [character] = rest;
    if (character === '"' || character === "'" || character === "`")
      quote = quote === null ? character : quote === character ? null : quote;
    const taken = rest.slice(0, isEscape ? 2 : 1);
    text += taken;
    at += taken.length;
  }
  if (quote !== null) return `a quote ${quote} is not closed`;
  return [...pieces, { text }];
}

/** What is wrong with a template and the defaults of its parameters; null where nothing is. */
export function templateProblem(template: string, defaults: Readonly<Record<string, string>>): string | null {
  const pieces = parseTemplate(template);
  if (typeof pieces === "string") return pieces;
  const names = pieces.flatMap((piece) => ("parameter" in piece ? [piece.parameter] : []));
  const unused = Object.keys(defaults).find((name) => !names.includes(name));
  if (unused !== undefined) return `the query has no parameter \`${unused}\``;
  for (const piece of pieces) {
    if (!("parameter" in piece) || !Object.hasOwn(defaults, piece.parameter)) continue;
    const written = writtenValue(defaults[piece.parameter], piece.quote);
    if (written === null) return wrongValue(piece.parameter, defaults[piece.parameter]);
  }
  return null;
}

/**
 * The query with the parameters' values, or else their defaults. Within quotes a value is escaped, so that it is one text
 * whatever it holds; elsewhere it must be a number, a duration, or names with commas between them. Throws USAGE_INVALID.
 */
export function fillTemplate(
  template: string,
  defaults: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string>>,
): string {
  const pieces = parseTemplate(template);
  if (typeof pieces === "string") throw new MillraceError("USAGE_INVALID", `The template: ${pieces}.`);
  const names = pieces.flatMap((piece) => ("parameter" in piece ? [piece.parameter] : []));
  const stranger = Object.keys(given).find((name) => !names.includes(name));
  if (stranger !== undefined)
    throw new MillraceError(
      "USAGE_INVALID",
      `The template has no parameter ${stranger}; it has ${names.length === 0 ? "none" : [...new Set(names)].join(", ")}.`,
    );
  const values: Readonly<Record<string, string>> = { ...defaults, ...given };
  return pieces
    .map((piece) => {
      if ("text" in piece) return piece.text;
      const { parameter, quote } = piece;
      if (!Object.hasOwn(values, parameter))
        throw new MillraceError("USAGE_INVALID", `The template's parameter ${parameter} has no value.`);
      const written = writtenValue(values[parameter], quote);
      if (written === null)
        throw new MillraceError("USAGE_INVALID", `${wrongValue(parameter, values[parameter])}.`);
      return written;
    })
    .join("");
}

/** Null where the value cannot stand there. */
function writtenValue(value: string, quote: '"' | "'" | "`" | null): string | null {
  if (quote === null) {
    const isNumber = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value);
    const isDuration = /^(\d+(ms|[smhdwy]))+$/.test(value);
    const areNames = /^[a-zA-Z_:][a-zA-Z0-9_:]*(\s*,\s*[a-zA-Z_:][a-zA-Z0-9_:]*)*$/.test(value);
    return isNumber || isDuration || areNames ? value : null;
  }
  if (quote === "`") return value.includes("`") ? null : value;
  return value.replaceAll("\\", "\\\\").replaceAll(quote, `\\${quote}`).replaceAll("\n", "\\n");
}

function wrongValue(parameter: string, value: string): string {
  return `${JSON.stringify(value)} cannot stand where \`${parameter}\` is: outside of quotes a parameter is a number, a duration or names`;
}
