import { setTimeout as sleep } from "node:timers/promises";

/** A token bucket: `perSecond` on average, a second's worth at once. Waiters are served in order of their calls. */
export function createRateLimit(
  perSecond: number,
  now: () => number,
  wait: (ms: number, signal: AbortSignal) => Promise<unknown> = (ms, signal) =>
    sleep(ms, undefined, { signal }),
): (signal: AbortSignal, tokens?: number) => Promise<void> {
  const msPerToken = 1_000 / perSecond;
  const burstMs = Math.max(1_000, msPerToken);
  /** When the bucket was, or will be, empty of tokens that are given away: each call moves it on by its tokens. */
  let paidUntil = -Infinity;

  return async (signal, tokens = 1) => {
    paidUntil = Math.max(paidUntil, now() - burstMs) + tokens * msPerToken;
    const waitMs = paidUntil - now();
    if (waitMs > 0) await wait(waitMs, signal);
  };
}
