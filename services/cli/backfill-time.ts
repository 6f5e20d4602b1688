import { parseDurationMs } from "../shared/config-schema.js";
import { MillraceError } from "../shared/errors.js";

/**
 * `now`, `-24h` before now, `2025-10-09T08:53:20Z` (with milliseconds or another zone where wanted, or the date alone: its
 * beginning in UTC), or milliseconds since the epoch. Throws USAGE_INVALID.
 */
export function parseTime(text: string, option: string, now: number): number {
  const ms = timeOf(text, now);
  if (Number.isNaN(new Date(ms).getTime()))
    throw new MillraceError(
      "USAGE_INVALID",
      `"${text}" in ${option} is no time: write it like -24h, now, 2025-10-09T08:53:20Z, or in milliseconds since 1970.`,
    );
  return ms;
}

function timeOf(text: string, now: number): number {
  if (text === "now") return now;
  if (/^\d+$/.test(text)) return Number(text);
  if (text.startsWith("-")) {
    const ms = parseDurationMs(text.slice(1));
    return ms === null ? NaN : Math.round(now - ms);
  }
  const isIso = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.test(text);
  return isIso ? Date.parse(text) : NaN;
}
