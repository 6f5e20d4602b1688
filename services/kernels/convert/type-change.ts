import { booleanOfText } from "./boolean-text.js";
import { durationOfText } from "./duration-text.js";
import { numberOfText } from "./number-text.js";
import { bytesOfText, ratioOfText } from "./quantity-text.js";

/**
 * What a value looks like. `none` is no value at all (null, NaN, an infinity, blanks) and says nothing of the type;
 * a number is a number in text, too, and whether it is whole says nothing.
 */
export const valueForms = ["none", "number", "boolean", "with_unit", "text"] as const;
export type ValueForm = (typeof valueForms)[number];

export function formOf(value: number | boolean | string | null): ValueForm {
  if (value === null) return "none";
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "number") return value - value === 0 ? "number" : "none";
  return value.trim() === "" ? "none" : formOfText(value);
}

function formOfText(text: string): ValueForm {
  const { value, error } = numberOfText(text);
  if (error === 0) return value - value === 0 ? "number" : "none";
  if (booleanOfText(text).error === 0) return "boolean";
  const isQuantity = [durationOfText, bytesOfText, ratioOfText].some((kernel) => kernel(text).error === 0);
  return isQuantity ? "with_unit" : "text";
}

/**
 * Whether a series changed its type between two samples. `previousForm` and `form` are indices in `valueForms`;
 * `previousType` and `type` are the declared types as small numbers, of which 0 is unknown. What is not known says
 * nothing, and neither does a sample before of `lookbackMs` or more ago: it does not exist.
 */
export function changesType(
  previousMs: number,
  previousType: number,
  previousForm: number,
  atMs: number,
  type: number,
  form: number,
  lookbackMs: number,
): boolean {
  if (!(atMs - previousMs < lookbackMs)) return false;
  const declares = previousType !== 0 && type !== 0 && previousType !== type;
  return declares || (previousForm !== 0 && form !== 0 && previousForm !== form);
}
