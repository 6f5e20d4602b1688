import { parseDurationMs } from "../shared/config-schema.js";
import { MillraceError } from "../shared/errors.js";

/**
 * `2025-10-09T08:53:20Z`, with milliseconds or another zone where wanted; milliseconds since the epoch; or, given a `now`,
 * `-24h` before that. Throws USAGE_INVALID.
 */
export function parseTime(text: string, option: string, now?: number): number {
  const ms = absoluteMs(text) ?? (now === undefined ? null : beforeMs(text, now));
  if (ms !== null && !Number.isNaN(new Date(ms).getTime())) return ms;
  const relative = now === undefined ? "" : " like -24h,";
  throw new MillraceError(
    "USAGE_INVALID",
    `"${text}" in ${option} is no time: write it${relative} like 2025-10-09T08:53:20Z, or in milliseconds since 1970.`,
  );
}

function absoluteMs(text: string): number | null {
  if (/^\d+$/.test(text)) return Number(text);
  const isIso = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(text);
  return isIso ? Date.parse(text) : null;
}

function beforeMs(text: string, now: number): number | null {
  const ms = text.startsWith("-") ? parseDurationMs(text.slice(1)) : null;
  return ms === null ? null : now - ms;
}
