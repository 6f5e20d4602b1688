import { type MillraceError, asMillraceError } from "./errors.js";
import type { Logger } from "./telemetry.js";

/**
 * What is told of something that fails again and again: one line for each distinct code, an error where a person must act
 * and a warning where it may pass by itself, then silence; one line when it works again; and why the service is not ready.
 */
export interface Outage {
  failed(error: unknown): MillraceError;
  /** It works, as far as the caller knows: no end while others, for other partitions, still try in vain. */
  ended(): void;
  /** To be called by who tries until it works. What is returned is to be called when they no longer do. */
  trying(): () => void;
}

export function createOutage(options: {
  /** Beginning of the event names: `poll` gives poll.failed and poll.recovered. */
  subject: string;
  details: Record<string, string>;
  logger: Logger;
  setReason: (reason: string | null) => void;
  now: () => number;
}): Outage {
  const { subject, details, logger, setReason, now } = options;
  const told = new Set<string>();
  let failures = 0;
  let since = 0;
  let tries = 0;

  return {
    failed: (thrown) => {
      const error = asMillraceError(thrown);
      if (failures === 0) since = now();
      failures++;
      setReason(`${error.code}: ${error.message}`);
      const level = told.has(error.code) ? "debug" : error.retryable ? "warn" : "error";
      told.add(error.code);
      logger[level](
        { event: `${subject}.failed`, ...details, code: error.code, action: error.action, failures },
        error.message,
      );
      return error;
    },
    ended: () => {
      if (tries > 0) return;
      setReason(null);
      if (failures > 0)
        logger.info({ event: `${subject}.recovered`, ...details, failures, lastedMs: now() - since });
      told.clear();
      failures = 0;
    },
    trying: () => {
      tries++;
      return () => {
        tries--;
        // Whoever gives up, having lost the partition for one, cannot tell whether it works again.
        if (tries === 0) setReason(null);
      };
    },
  };
}
