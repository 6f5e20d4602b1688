/**
 * How long a Retry-After header asks to wait, in milliseconds: it holds seconds, or a date. Undefined where there is none.
 * Source: RFC 9110, section 10.2.3.
 */
export function retryAfterMs(header: string | string[] | undefined, now: number): number | undefined {
  if (typeof header !== "string") return undefined;
  const text = header.trim();
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  // Every form of an HTTP date begins with the day of the week; Date.parse would take much else for a date.
  const date = /^[a-z]{3}/i.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
