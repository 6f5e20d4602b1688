const bits = new DataView(new ArrayBuffer(8));

/** Of artanh: 1, ⅓, ⅕, …, as far as doubles see them. */
const coefficients = Float64Array.from({ length: 13 }, (_, i) => 1 / (2 * i + 1));

/**
 * The natural logarithm of a finite positive number, within some ulps, with + − × ÷ only: the same bits in
 * every engine, which `Math.log` does not promise. ln(m · 2^e) = e ln 2 + 2 artanh((m − 1) ÷ (m + 1)), with m
 * between √½ and √2.
 */
export function logarithm(x: number): number {
  // A denormal has no exponent of its own.
  const isTiny = x < 2 ** -1000;
  bits.setFloat64(0, isTiny ? x * 2 ** 200 : x);
  const high = bits.getUint32(0);
  bits.setUint32(0, (high & 0x000fffff) | 0x3ff00000);
  let mantissa = bits.getFloat64(0);
  let exponent = (high >>> 20) - 1023 - (isTiny ? 200 : 0);
  if (mantissa > Math.SQRT2) {
    mantissa /= 2;
    exponent++;
  }
  const ratio = (mantissa - 1) / (mantissa + 1);
  const square = ratio * ratio;
  let series = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) series = series * square + coefficients[i];
  return exponent * Math.LN2 + 2 * ratio * series;
}
