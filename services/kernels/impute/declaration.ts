/**
 * What a method of filling gaps says of itself: all that the processor knows of how far back it looks, and of what it needs.
 * It is handed nothing else.
 */
export interface ImputerDeclaration<Options> {
  readonly name: string;
  /**
   * How far before a gap a method looks, in milliseconds of event time: at samples of (t − lookbackMs, t], where t is the time of
   * the last one before the gap, and at that one in any case. What is older has no influence.
   */
  readonly lookbackMs: (options: Options) => number;
  /** Whether it looks at the value that ends the gap, too; else the gap may be filled before that is known, with the same result. */
  readonly needsFarEnd: boolean;
}

export interface GapOptions {
  /** Gaps that last longer stay open from end to end. Milliseconds. */
  readonly maxGapMs: number;
}

/** Of methods that learn from a window: the caller hands over its samples, and the times to fill. */
export interface WindowOptions extends GapOptions {
  readonly windowMs: number;
}

/** Fills what is NaN of `values[first ... end - 1]` of one series; `filled` has 1 where it did. */
export type SeriesKernel<Options> = (
  options: Options,
  timestamps: Float64Array,
  values: Float64Array,
  first: number,
  end: number,
  out: Float64Array,
  filled: Uint8Array,
  outOffset: number,
) => void;

/** The same of a row-major table, a row a timestamp and a column a series. */
export type TableKernel<Options> = (
  options: Options,
  timestamps: Float64Array,
  values: Float64Array,
  columns: number,
  out: Float64Array,
  filled: Uint8Array,
) => void;
