import { type Conversion, converted, failed } from "./conversion.js";
import { nearestDouble, parseDecimal, textLengthMax } from "./decimal.js";

/** Powers of ten of a suffix. */
const decimalSuffixes: ReadonlyMap<string, number> = new Map([
  ["n", -9],
  ["u", -6],
  ["m", -3],
  ["", 0],
  ["k", 3],
  ["M", 6],
  ["G", 9],
  ["T", 12],
  ["P", 15],
  ["E", 18],
]);

/** Powers of two of a suffix. */
const binarySuffixes: ReadonlyMap<string, bigint> = new Map([
  ["Ki", 10n],
  ["Mi", 20n],
  ["Gi", 30n],
  ["Ti", 40n],
  ["Pi", 50n],
  ["Ei", 60n],
]);

/** An exponent needs its digits, so the E of `1E` is the suffix. */
const quantityForm = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s?([a-zA-Z\u00b5%]*)$/;

/**
 * A quantity in text, correctly rounded: `500m` = 0.5, `2k`, `1.5M`, `3Gi`; suffixes as Kubernetes has them
 * (k8s.io/apimachinery/pkg/api/resource), so a kilo is a small `k`, and `m` is a thousandth. Kubernetes itself rounds
 * up to billionths and ends at 2^63 − 1; here the double next to the true value counts.
 */
export function quantityOfText(text: string): Conversion {
  return withSuffix(text, suffixed);
}

/** Bytes in text: a quantity, with a `B` at its end or without: `3Gi`, `3GiB`, `10kB` = 10,000, `512B`. */
export function bytesOfText(text: string): Conversion {
  return withSuffix(text, (number, suffix) => suffixed(number, suffix.replace(/B$/, "")));
}

/** A share in text as a ratio: `85%` = 0.85; a bare number is the ratio itself. */
export function ratioOfText(text: string): Conversion {
  return withSuffix(text, (number, suffix) => {
    if (suffix === "") return scaledDecimal(number, 0);
    return suffix === "%" ? scaledDecimal(number, -2) : failed("unit");
  });
}

function withSuffix(text: string, convert: (number: string, suffix: string) => Conversion): Conversion {
  const trimmed = text.trim();
  if (trimmed === "") return failed("empty");
  const match = trimmed.length > textLengthMax ? null : quantityForm.exec(trimmed);
  return match === null ? failed("form") : convert(match[1], match[2]);
}

function suffixed(number: string, suffix: string): Conversion {
  const power = decimalSuffixes.get(suffix);
  if (power !== undefined) return scaledDecimal(number, power);
  const bits = binarySuffixes.get(suffix);
  const decimal = parseDecimal(number);
  if (bits === undefined || decimal === null) return failed(bits === undefined ? "unit" : "form");
  return converted(nearestDouble({ ...decimal, digits: decimal.digits << bits }));
}

function scaledDecimal(number: string, power: number): Conversion {
  const decimal = parseDecimal(number);
  if (decimal === null) return failed("form");
  return converted(nearestDouble({ ...decimal, exponent: decimal.exponent + power }));
}
