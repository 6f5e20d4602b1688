import { type OperatorFunction, map } from "rxjs";
import {
  type CleanFrame,
  type GivenValues,
  type MetricType,
  type RawFrame,
  flagBits,
} from "../../shared/frame.js";
import type { FrameJudge } from "../rules/judge-frame.js";

/** A frame, and the offset that it stands at in its input: what the revision of its rows will be. */
export interface At<Frame> {
  readonly offset: number;
  readonly frame: Frame;
}

/**
 * Flags the samples that are not simply what was measured; a value is never changed here. `judge` adds what the
 * configured rules say of a frame.
 */
export function validate(judge: FrameJudge | null = null): OperatorFunction<At<RawFrame>, At<CleanFrame>> {
  return map(({ offset, frame }) => {
    const { series, values, stale, given } = frame;
    const flags = new Int32Array(values.length);
    for (let i = 0; i < values.length; i++) {
      flags[i] = stale[i] === 1 ? flagBits.stale : sampleFlags(values[i], series[i].type);
    }
    if (given !== undefined) markUnconverted(given, flags);
    if (judge !== null) judge(frame, flags);
    return { offset, frame: { ...frame, original: values, flags } };
  });
}

function markUnconverted({ errors }: GivenValues, flags: Int32Array): void {
  for (let i = 0; i < flags.length; i++) if (errors[i] !== 0) flags[i] |= flagBits.conversion_error;
}

/** What can be said of a sample by itself. */
export function sampleFlags(value: number, type: MetricType): number {
  if (value - value !== 0) return flagBits.not_finite;
  // A counter counts up from zero.
  return value < 0 && type === "counter" ? flagBits.invalid : 0;
}
