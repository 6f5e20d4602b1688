/** A decimal number exactly: `digits` × 10^`exponent`. */
export interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

/** Longer texts are no numbers that anybody measured; the bound keeps exact arithmetic cheap. */
export const textLengthMax = 400;

const decimalForm = /^([+-]?)(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d{1,15}))?$/;

/** `12`, `-1.5`, `.5`, `1e-3` exactly; null for anything else. */
export function parseDecimal(text: string): Decimal | null {
  const match = text.length > textLengthMax ? null : decimalForm.exec(text);
  if (match === null) return null;
  const [, sign, number, exponent = "0"] = match as unknown as [string, string, string, string?];
  const point = number.indexOf(".");
  const decimals = point < 0 ? 0 : number.length - point - 1;
  const digits = BigInt(number.replace(".", "") || "0");
  return { digits: sign === "-" ? -digits : digits, exponent: Number(exponent) - decimals };
}

/** The double next to `digits` × 10^`exponent`, ties to even: what a literal with these digits is. */
export function nearestDouble({ digits, exponent }: Decimal): number {
  return Number(`${digits}e${exponent}`);
}
