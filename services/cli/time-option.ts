import { parseDurationMs } from "../shared/config-schema.js";
import { MillraceError } from "../shared/errors.js";

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;
const isoDate = /^\d{4}-\d\d-\d\d$/;

/** `2025-10-09T08:53:20Z`, with milliseconds or another zone where wanted; or milliseconds since the epoch. Throws USAGE_INVALID. */
export function timeOf(text: string, option: string): number {
  return knownTime(absolute(text), text, option, "2025-10-09T08:53:20Z");
}

/** As timeOf; or `now`, `-24h` before now, or a date alone: its beginning in UTC. */
export function parseTime(text: string, option: string, now: number): number {
  return knownTime(relative(text, now), text, option, "-24h, now, 2025-10-09T08:53:20Z");
}

/** What --from and --to say; to now without the latter. Throws USAGE_INVALID. */
export function parseRange(
  { from, to = "now" }: { from: string; to?: string },
  now: number,
): { from: number; to: number } {
  const range = { from: parseTime(from, "--from", now), to: parseTime(to, "--to", now) };
  if (range.from >= range.to) throw new MillraceError("USAGE_INVALID", "--from must be before --to.");
  return range;
}

/** `15s`, `1.5h`: one whole millisecond at the least. Throws USAGE_INVALID. */
export function durationOf(text: string, option: string): number {
  const ms = parseDurationMs(text);
  if (ms === null || ms < 1 || !Number.isInteger(ms))
    throw new MillraceError("USAGE_INVALID", `"${text}" in ${option} is no duration: write 15s, 5m, 1h.`);
  return ms;
}

function relative(text: string, now: number): number {
  if (text === "now") return now;
  if (isoDate.test(text)) return Date.parse(text);
  if (!text.startsWith("-")) return absolute(text);
  const ms = parseDurationMs(text.slice(1));
  return ms === null ? NaN : Math.round(now - ms);
}

function absolute(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : isoTime.test(text) ? Date.parse(text) : NaN;
}

function knownTime(ms: number, text: string, option: string, forms: string): number {
  if (Number.isNaN(new Date(ms).getTime()))
    throw new MillraceError(
      "USAGE_INVALID",
      `"${text}" in ${option} is no time: write it like ${forms}, or in milliseconds since 1970.`,
    );
  return ms;
}
