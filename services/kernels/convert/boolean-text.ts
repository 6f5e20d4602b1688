import { type Conversion, converted, failed } from "./conversion.js";

const booleans: ReadonlyMap<string, number> = new Map([
  ["true", 1],
  ["yes", 1],
  ["on", 1],
  ["1", 1],
  ["false", 0],
  ["no", 0],
  ["off", 0],
  ["0", 0],
]);

/** 1 for true, yes, on, 1; 0 for false, no, off, 0; in any case of letters, blanks around left out. */
export function booleanOfText(text: string): Conversion {
  const trimmed = text.trim().toLowerCase();
  const value = booleans.get(trimmed);
  if (value !== undefined) return converted(value);
  return failed(trimmed === "" ? "empty" : "form");
}
