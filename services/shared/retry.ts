import pRetry from "p-retry";
import { asMillraceError } from "./errors.js";
import type { Outage } from "./outage.js";

const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 10_000;

export interface RetryOptions {
  readonly outage: Outage;
  readonly signal: AbortSignal;
  /** Run after each failure: a consumer's heartbeat, where trying again must not cost it its partitions. */
  readonly betweenAttempts?: () => Promise<void>;
}

/**
 * The one place where trying again is decided: an error that may pass is told of as an outage and tried again, with
 * jittered exponential backoff (Retry-After is honoured), until it works or the signal aborts; any other error is thrown.
 */
export async function untilDone<Result>(
  attempt: () => Promise<Result>,
  { outage, signal, betweenAttempts }: RetryOptions,
): Promise<Result> {
  const results: Result[] = [];
  let leave: (() => void) | undefined;
  await pRetry(
    async () => {
      try {
        results.push(await attempt());
      } catch (thrown) {
        throw asMillraceError(thrown);
      }
    },
    {
      retries: Infinity,
      factor: 2,
      minTimeout: FIRST_PAUSE_MS,
      maxTimeout: MAX_PAUSE_MS,
      randomize: true,
      signal,
      shouldRetry: ({ error }) => asMillraceError(error).retryable,
      onFailedAttempt: async ({ error }) => {
        const { retryable, retryAfterMs } = asMillraceError(error);
        if (!retryable) return;
        leave ??= outage.trying();
        outage.failed(error);
        await betweenAttempts?.();
        if (retryAfterMs !== undefined) await pause(retryAfterMs, signal);
      },
    },
  )
    .catch((error: unknown) => {
      // What was done is done, even if the signal aborted meanwhile.
      if (results.length === 0) throw error;
    })
    .finally(() => leave?.());
  outage.ended();
  return results[0];
}

/** Resolves after so many milliseconds. Rejects with the signal's reason. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}
