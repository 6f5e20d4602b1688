import { seconds } from "./tally.js";

const INTERVAL_MS = 10_000;

/** Tells of a long step now and then, with the time that it has taken so far. */
export function openProgress(print: (line: string) => void) {
  const startedAt = performance.now();
  let lastAt = startedAt;
  const elapsed = () => seconds(performance.now() - startedAt);
  return {
    elapsed,
    tell: (detail: string) => {
      if (performance.now() - lastAt < INTERVAL_MS) return;
      lastAt = performance.now();
      print(`  ${elapsed()} ${detail}`);
    },
  };
}
