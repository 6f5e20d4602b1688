import { type Conversion, converted, failed } from "./conversion.js";
import { type Decimal, nearestDouble, parseDecimal, textLengthMax } from "./decimal.js";

/** Nanoseconds of a unit. A day has 24 hours and a year 365 days, as in Prometheus. */
const unitNs: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1_000n],
  // The micro sign, and the Greek letter that looks the same.
  ["\u00b5s", 1_000n],
  ["\u03bcs", 1_000n],
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
  ["d", 86_400_000_000_000n],
  ["w", 604_800_000_000_000n],
  ["y", 31_536_000_000_000_000n],
]);

const NS_EXPONENT = -9;
const partForm = /(\d+\.?\d*|\.\d+)([a-zA-Z\u00b5\u03bc]*)/y;

/**
 * A duration in text, in seconds, correctly rounded: `12ms`, `1h30m`, `-1.5s`; the forms of Prometheus's durations and
 * of Go's `time.ParseDuration`, with units from the largest to the smallest, each at most once. A bare number is
 * seconds.
 */
export function durationOfText(text: string): Conversion {
  const trimmed = text.trim();
  if (trimmed === "") return failed("empty");
  const seconds = parseDecimal(trimmed);
  if (seconds !== null) return converted(nearestDouble(seconds));
  if (trimmed.length > textLengthMax) return failed("form");
  const unsigned = trimmed.replace(/^[+-]/, "");
  const total = sumOfParts(unsigned);
  if (total === null) return failed(/^\.?\d/.test(unsigned) ? "unit" : "form");
  return converted(nearestDouble(trimmed.startsWith("-") ? { ...total, digits: -total.digits } : total));
}

/** The parts of `1h30m` added exactly; null where one is no number with a known unit, smaller than the one before. */
function sumOfParts(text: string): Decimal | null {
  let total: Decimal = { digits: 0n, exponent: 0 };
  let larger: bigint | null = null;
  partForm.lastIndex = 0;
  while (partForm.lastIndex < text.length) {
    const match = partForm.exec(text);
    const ns = match === null ? undefined : unitNs.get(match[2]);
    if (match === null || ns === undefined || (larger !== null && ns >= larger)) return null;
    const { digits, exponent } = parseDecimal(match[1])!;
    total = sum(total, { digits: digits * ns, exponent });
    larger = ns;
  }
  return { digits: total.digits, exponent: total.exponent + NS_EXPONENT };
}

/** Exponents are those of decimals: small, and not above zero. */
function sum(a: Decimal, b: Decimal): Decimal {
  const exponent = Math.min(a.exponent, b.exponent);
  const digitsAt = (decimal: Decimal) => decimal.digits * 10n ** BigInt(decimal.exponent - exponent);
  return { digits: digitsAt(a) + digitsAt(b), exponent };
}
