import { booleanOfText } from "./boolean-text.js";
import type { Conversion } from "./conversion.js";
import { durationOfText } from "./duration-text.js";
import { numberOfText } from "./number-text.js";
import { bytesOfText, quantityOfText, ratioOfText } from "./quantity-text.js";

/** What a metric's text may be read as, each into its base unit: numbers, 0 or 1, seconds, bytes, numbers, ratios. */
export const valueTypes = ["number", "boolean", "duration", "bytes", "quantity", "ratio"] as const;
export type ValueType = (typeof valueTypes)[number];

const kernels: Record<ValueType, (text: string) => Conversion> = {
  number: numberOfText,
  boolean: booleanOfText,
  duration: durationOfText,
  bytes: bytesOfText,
  quantity: quantityOfText,
  ratio: ratioOfText,
};

/** The text's number in the type's base unit; NaN and why where it has none. Never throws. */
export function convertText(text: string, type: ValueType): Conversion {
  return kernels[type](text);
}
