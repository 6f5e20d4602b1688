import type { Answer } from "./traffic.js";

const WINDOW_SECONDS = 30;

export interface Health {
  /** Takes one second's answers in and returns the score of the last 30 seconds. */
  readonly score: (answers: readonly Answer[]) => number;
}

/**
 * Apdex (https://en.wikipedia.org/wiki/Apdex): the share of requests answered without error within the target time, and half of
 * those that took up to four times as long; 1 where nobody asked.
 */
export function createHealth(targetSeconds: number): Health {
  const satisfied = new Float64Array(WINDOW_SECONDS);
  const total = new Float64Array(WINDOW_SECONDS);
  let position = 0;
  return {
    score: (answers) => {
      satisfied[position] = answers.reduce((sum, answer) => sum + satisfaction(answer, targetSeconds), 0);
      total[position] = answers.length;
      position = (position + 1) % WINDOW_SECONDS;
      const asked = total.reduce((sum, count) => sum + count, 0);
      return asked === 0 ? 1 : satisfied.reduce((sum, count) => sum + count, 0) / asked;
    },
  };
}

function satisfaction({ code, seconds }: Answer, targetSeconds: number): number {
  if (code >= 500) return 0;
  return seconds <= targetSeconds ? 1 : seconds <= 4 * targetSeconds ? 0.5 : 0;
}
