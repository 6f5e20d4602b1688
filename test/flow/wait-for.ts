import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";

const LOOK_INTERVAL_MS = 100;

/** Looks until what is seen will do, and resolves to that; fails with what was last seen. */
export async function waitFor<Seen>(
  what: string,
  look: () => Seen | Promise<Seen>,
  willDo: (seen: Seen) => boolean,
  limitMs = 60_000,
  lookIntervalMs = LOOK_INTERVAL_MS,
): Promise<Seen> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const seen = await look();
    if (willDo(seen)) return seen;
    if (performance.now() > deadline)
      assert.fail(`${what}: not within ${limitMs / 1000} s; last seen: ${inspect(seen, { depth: 5 })}`);
    await sleep(lookIntervalMs);
  }
}
