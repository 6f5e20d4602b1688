import { MillraceError } from "../shared/errors.js";

/** `2025-10-09T08:53:20Z`, with milliseconds or another zone where wanted; or milliseconds since the epoch. Throws USAGE_INVALID. */
export function timeOf(text: string, option: string): number {
  const isIso = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(text);
  const ms = /^\d+$/.test(text) ? Number(text) : isIso ? Date.parse(text) : NaN;
  if (Number.isNaN(new Date(ms).getTime()))
    throw new MillraceError(
      "USAGE_INVALID",
      `"${text}" in ${option} is no time: write it like 2025-10-09T08:53:20Z, or in milliseconds since 1970.`,
    );
  return ms;
}
