/** Exact arithmetic on doubles: every finite double is an integer times 2^-1074. */

const bits = new DataView(new ArrayBuffer(8));

/** x · 2^1074 */
export function exact(x: number): bigint {
  bits.setFloat64(0, x);
  const word = bits.getBigUint64(0);
  const exponent = (word >> 52n) & 0x7ffn;
  const fraction = word & 0xfffffffffffffn;
  const magnitude = exponent === 0n ? fraction : (fraction | 0x10000000000000n) << (exponent - 1n);
  return word >> 63n === 0n ? magnitude : -magnitude;
}

/** numerator / denominator as a double, to about 60 bits. */
export function quotient(numerator: bigint, denominator: bigint): number {
  const negative = numerator < 0n !== denominator < 0n;
  const n = numerator < 0n ? -numerator : numerator;
  const d = denominator < 0n ? -denominator : denominator;
  const shift = Math.max(0, d.toString(2).length - n.toString(2).length + 60);
  const size =
    Number((n << BigInt(shift)) / d) * 2 ** -Math.min(shift, 1000) * 2 ** -Math.max(0, shift - 1000);
  return negative ? -size : size;
}

export function magnitude(x: bigint): bigint {
  return x < 0n ? -x : x;
}

/**
 * The 64 bits of every number: equal texts are equal bits. All NaN are one: engines may change a NaN's
 * payload.
 */
export function bitText(numbers: ArrayLike<number>): string {
  return Array.from(numbers, (x) => {
    bits.setFloat64(0, x);
    return Number.isNaN(x) ? "NaN" : bits.getBigUint64(0).toString(16);
  }).join(" ");
}
