import type { FeaturePlan } from "../processor/feature-plan.js";
import { flagBits } from "../shared/frame.js";

/** What of the configuration an explanation names. */
export interface Explained {
  readonly strict: boolean;
  /** Whether rows of incomplete frames are left out. */
  readonly drops: boolean;
  /** The method that gaps are filled by. */
  readonly imputation: string;
  readonly maxGapMs: FeaturePlan["reachBackMs"];
  readonly columns: readonly string[];
}

/** More digits than these tell a person nothing; --json has all. */
const DIGITS = 9;

export function numberText(value: number): string {
  return Number.isNaN(value) ? "—" : String(Number(value.toPrecision(DIGITS)));
}

export function flagNames(flags: number): string[] {
  return Object.entries(flagBits).flatMap(([name, bit]) => ((flags & bit) === 0 ? [] : [name]));
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** The time of day, with its date where that is not the date of `ofMs`, and with milliseconds where there are any. */
export function timeText(ms: number, ofMs: number): string {
  if (Number.isNaN(ms)) return "—";
  const [date, time] = isoTime(ms).split("T");
  const clock = time.replace(/(\.000)?Z$/, "");
  return date === isoTime(ofMs).split("T")[0] ? clock : `${date} ${clock}`;
}
