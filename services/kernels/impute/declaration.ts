/** What a method of filling gaps says of itself. */
export interface ImputerDeclaration<Options> {
  readonly name: string;
  /**
   * How far before the sample that it fills, or before the gap's far end where it needs that, a method looks: what is
   * older has no influence. Milliseconds of event time.
   */
  readonly lookbackMs: (options: Options) => number;
  /** Whether a gap can be filled only once the value that ends it is known. */
  readonly needsFarEnd: boolean;
}

export interface GapOptions {
  /** Gaps that last longer stay open from end to end. Milliseconds. */
  readonly maxGapMs: number;
}

/** Of methods that learn from a window: the caller hands over the samples of (t − windowMs, t]. */
export interface WindowOptions extends GapOptions {
  readonly windowMs: number;
}
