/** What became of a text: its number, NaN where there is none, and why. */
export interface Conversion {
  readonly value: number;
  /** Index in `conversionErrors`. */
  readonly error: number;
}

/**
 * Why a text has no number: `empty` (blanks only), `form` (not of the form at all), `unit` (a number with a unit that
 * the type does not know), `range` (its number is beyond the largest double).
 */
export const conversionErrors = ["none", "empty", "form", "unit", "range"] as const;
export type ConversionError = (typeof conversionErrors)[number];

export function converted(value: number): Conversion {
  return value - value === 0 ? { value, error: 0 } : failed("range");
}

export function failed(error: ConversionError): Conversion {
  return { value: NaN, error: conversionErrors.indexOf(error) };
}
