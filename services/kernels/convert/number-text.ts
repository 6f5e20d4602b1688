import { type Conversion, converted, failed } from "./conversion.js";
import { nearestDouble, parseDecimal } from "./decimal.js";

const notFinite: ReadonlyMap<string, number> = new Map([
  ["nan", NaN],
  ["inf", Infinity],
  ["infinity", Infinity],
]);

/**
 * A number in text, correctly rounded: digits with a point and an exponent or without, and, in any case of letters,
 * `NaN`, `Inf` and `Infinity` as Prometheus writes them. No digit separators, no hexadecimals; blanks around it are
 * left out. Equal to Python's `float`, but for `_` between digits.
 */
export function numberOfText(text: string): Conversion {
  const trimmed = text.trim();
  if (trimmed === "") return failed("empty");
  const decimal = parseDecimal(trimmed);
  if (decimal !== null) return converted(nearestDouble(decimal));
  const sign = trimmed.startsWith("-") ? -1 : 1;
  const special = notFinite.get(trimmed.replace(/^[+-]/, "").toLowerCase());
  if (special !== undefined) return { value: sign * special, error: 0 };
  return failed(/^[+-]?\.?\d/.test(trimmed) ? "unit" : "form");
}
