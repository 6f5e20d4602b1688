import type { PushedSamples } from "./decoded-request.js";

/** What came of a request's samples. */
export type Outcome = "written" | "full" | "overdue" | "stopped";

export interface Waiting {
  readonly samples: PushedSamples;
  /** Whether the sender still waits for the outcome. */
  readonly isOpen: () => boolean;
  readonly settle: (outcome: Outcome) => void;
}

/** Requests on their way to Kafka: as many together as came while the transaction before was under way. */
export interface CommitQueue {
  /** Resolves once the samples are in Kafka, or cannot be in time, or where there is no room for them. Never rejects. */
  readonly offer: (samples: PushedSamples) => Promise<Outcome>;
  /** Resolves to the next requests, some of them, in order; to none once the queue is closed and empty. */
  readonly take: (maxSamples: number) => Promise<Waiting[]>;
  /** Whoever could not bring them to Kafka gives them back, to be taken again first. */
  readonly giveBack: (requests: readonly Waiting[]) => void;
  /** Takes up no more; what waits can still be taken. */
  readonly close: () => void;
  /** Settles all that wait as `stopped`. */
  readonly clear: () => void;
  /** Samples of requests that have no outcome yet. */
  readonly size: () => number;
}

export function createCommitQueue(options: { maxSamples: number; answerWithinMs: number }): CommitQueue {
  const { maxSamples, answerWithinMs } = options;
  let waiting: Waiting[] = [];
  let size = 0;
  let isClosed = false;
  let wake: () => void = () => undefined;

  return {
    offer: (samples) => {
      const count = samples.series.length;
      if (isClosed) return Promise.resolve("stopped");
      // A request alone always has room, or it never would.
      if (size > 0 && size + count > maxSamples) return Promise.resolve("full");
      size += count;
      return new Promise((resolve) => {
        let open = true;
        const settle = (outcome: Outcome) => {
          if (!open) return;
          open = false;
          size -= count;
          clearTimeout(timer);
          resolve(outcome);
        };
        const timer = setTimeout(() => settle("overdue"), answerWithinMs);
        waiting.push({ samples, isOpen: () => open, settle });
        wake();
      });
    },

    take: async (limit) => {
      for (;;) {
        waiting = waiting.filter(({ isOpen }) => isOpen());
        if (waiting.length > 0) return waiting.splice(0, countWithin(waiting, limit));
        if (isClosed) return [];
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },

    giveBack: (requests) => {
      waiting.unshift(...requests);
    },

    close: () => {
      isClosed = true;
      wake();
    },

    clear: () => {
      for (const { settle } of waiting.splice(0)) settle("stopped");
    },

    size: () => size,
  };
}

/** How many of the first requests hold no more samples than the limit together; one at the least. */
function countWithin(requests: readonly Waiting[], limit: number): number {
  let samples = 0;
  let count = 0;
  for (const request of requests) {
    samples += request.samples.series.length;
    if (count > 0 && samples > limit) break;
    count++;
  }
  return count;
}
