import fc from "fast-check";

const finite = { noNaN: true, noDefaultInfinity: true } as const;
const someScale = fc.constantFrom(1, 1e-3, 1e9, 1e150, 1e-150, 1e300, 1e-300, 1e-308, 5e-324);
const shaped = fc.oneof(
  // Any double at all.
  { weight: 1, arbitrary: fc.double(finite) },
  { weight: 4, arbitrary: fc.double({ ...finite, min: -100, max: 100 }) },
  // Ties, among them 0 and −0.
  { weight: 2, arbitrary: fc.constantFrom(-1, -0, 0, 0.1, 1, 2, 1e9) },
  // A large level with little on it.
  { weight: 2, arbitrary: fc.double({ ...finite, min: 1e9, max: 1e9 + 1 }) },
);

/** Finite values as metrics and adversaries make them, of one scale or of mixed ones. */
export const finiteArray = fc.oneof(
  fc.array(shaped, { minLength: 1, maxLength: 60 }),
  fc
    .tuple(
      someScale,
      fc.array(fc.double({ ...finite, min: -1.7, max: 1.7 }), { minLength: 1, maxLength: 300 }),
    )
    .map(([scale, values]) => values.map((value) => value * scale)),
  fc
    .tuple(
      fc.double({ ...finite, min: -1e15, max: 1e15 }),
      fc.array(fc.double({ ...finite, min: -1, max: 1 }), { minLength: 1, maxLength: 300 }),
    )
    .map(([level, values]) => values.map((value) => level + value)),
  fc
    .array(fc.double({ ...finite, min: 1, max: 1.7 }), { minLength: 1, maxLength: 40 })
    .map((values) => values.map((value, i) => (i % 3 === 0 ? -value : value) * 1e308)),
);

/** The same with NaN and infinities here and there. */
export const anyArray = fc.oneof(
  finiteArray,
  fc.array(
    fc.oneof(
      { weight: 3, arbitrary: shaped },
      { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity) },
    ),
    {
      maxLength: 60,
    },
  ),
);

/** Strictly ascending milliseconds, irregularly spaced. */
export function ascendingTimestamps(length: number, startMs: number, gapsMs: number[]): Float64Array {
  const timestamps = new Float64Array(length);
  let ms = startMs;
  for (let i = 0; i < length; i++) {
    timestamps[i] = ms;
    ms += gapsMs[i % gapsMs.length];
  }
  return timestamps;
}

export const gaps = fc.array(fc.oneof(fc.constant(5_000), fc.integer({ min: 1, max: 120_000 })), {
  minLength: 1,
  maxLength: 20,
});
