import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { createRawReader } from "../../../services/shared/frame-codec.js";
import { type Flow, openFlow, untilReady } from "../running-services.js";
import { readFrames } from "../topic-frames.js";
import { backfill } from "./backfilled.js";
import { type Past, openPast } from "./past.js";

const LENGTH_MS = 6 * 3_600_000;
const SERIES = 1_000;
/** How long live samples are watched without a backfill beside them. */
const ALONE_MS = 8_000;

/** What it measures is told, and nothing is asserted of it: the machine may be busy with something else. */
describe("six hours of a thousand series", () => {
  let past: Past;
  let flow: Flow;
  const scraping = new AbortController();
  let scrapes: Promise<void>;

  before(async () => {
    past = await openPast({ lengthMs: LENGTH_MS, intervalMs: 60_000, instances: 10, metrics: SERIES / 10 });
    scrapes = scrapeEverySecond();
    flow = await openFlow({
      extract: {
        prometheus: { url: past.url },
        templates: { shop: { selectors: ['{__name__=~"sold_.+"}'] } },
        jobs: { live: { templates: ["shop"], overlap: "5s", initial_lookback: "1m" } },
        backfill: { samples_per_second: 1_000_000 },
      },
    });
    flow.start("poller");
    await untilReady(flow, ["poller"]);
  });
  after(async () => {
    scraping.abort();
    await flow.close();
    await scrapes;
    await past.close();
  });

  it("is backfilled beside live polls", async (t) => {
    const aloneFrom = Date.now();
    await sleep(ALONE_MS);
    const from = Date.now();
    const args = [
      "--from",
      new Date(past.range.from).toISOString(),
      "--to",
      new Date(past.range.to).toISOString(),
    ];
    const { exitCode, last } = await backfill(flow.file, ...args, "--wait", "--json");
    const to = Date.now();
    assert.equal(exitCode, 0);
    assert.ok(last!.sent > SERIES * 340, String(last!.sent));

    const alone = await delays(aloneFrom, from);
    const beside = await delays(from, to);
    const seconds = (to - from) / 1_000;
    t.diagnostic(
      `${last!.sent} samples in ${seconds.toFixed(1)} s: ${Math.round(last!.sent / seconds)} a second`,
    );
    t.diagnostic(
      `live frames, from their time to being read: alone ${told(alone)}; beside it ${told(beside)}`,
    );
  });

  /** How long live frames of this time took until they were read, ascending, milliseconds. */
  async function delays(from: number, to: number): Promise<number[]> {
    const found: number[] = [];
    await readFrames(flow.config, "raw", createRawReader, ({ origin, timestamp, ingestedAt }) => {
      if (origin === "live" && timestamp > from && timestamp <= to) found.push(ingestedAt - timestamp);
    });
    return found.sort((a, b) => a - b);
  }

  async function scrapeEverySecond(): Promise<void> {
    while (!scraping.signal.aborted) {
      await past.scrape(Date.now());
      await sleep(1_000, undefined, { signal: scraping.signal }).catch(() => undefined);
    }
  }
});

function told(ascending: readonly number[]): string {
  const at = (share: number) => ascending[Math.floor(share * (ascending.length - 1))];
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms of ${ascending.length}`;
}
