import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import { randomStream, uniform } from "../../../services/kernels/random.js";
import { storedSamples } from "../prometheus-answers.js";
import {
  type Flow,
  type RunningService,
  metricsOf,
  openFlow,
  untilReady,
  watermark,
} from "../running-services.js";
import { assertSameSamples, countSamples } from "../samples.js";
import { waitFor } from "../wait-for.js";
import { backfill, rawSamples } from "./backfilled.js";
import { type Past, openPast } from "./past.js";

const main = fileURLToPath(new URL("../../../services/cli/main.js", import.meta.url));
const SEED = 20261126;
const KILLS = 6;
const SELECTOR = '{__name__=~"sold_.+"}';

describe("kill -9 of the poller during a backfill, while live samples come in", () => {
  let past: Past;
  let flow: Flow;
  let poller: RunningService;
  /** Ends the scraping; resolves to the time of the last scrape. */
  let stopScraping: () => Promise<number>;

  before(async () => {
    past = await openPast({ lengthMs: 3_600_000, intervalMs: 1_000, instances: 3, metrics: 15 });
    stopScraping = scrapeEverySecond(past);
    flow = await openFlow({
      extract: {
        prometheus: { url: past.url },
        templates: { shop: { entity: "target", selectors: [SELECTOR] } },
        jobs: { live: { templates: ["shop"], overlap: "3s", initial_lookback: "1m", catch_up_limit: "5m" } },
        // So slow that each kill meets it in the middle.
        backfill: { chunk_samples: 2_000, samples_per_second: 5_000, live_lag_max: "30s" },
      },
      kafka: { partitions: 2 },
    });
    poller = flow.start("poller");
    await untilReady(flow, ["poller"]);
  });
  after(async () => {
    await flow.close();
    await stopScraping();
    await past.close();
  });

  it("goes on where it stopped: in the end all is there, and nothing twice", async () => {
    const asked = await backfill(flow.file, "--from", "-2h", "--json");
    assert.deepEqual({ exitCode: asked.exitCode, stderr: asked.stderr }, { exitCode: 0, stderr: "" });
    const { id } = asked.lines[0];
    await interruptsWatching(id);
    const random = randomStream(SEED, "kills", 0);
    const reached: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      await waitFor("it backfills", backfilled, (samples) => samples > 0, 120_000, 20);
      await sleep(uniform(random, 0, 1_500));
      await poller.kill();
      reached.push((await backfill(flow.file, "--list", "--json")).lines[0].share);
      poller = flow.start("poller");
    }
    assert.deepEqual(
      reached,
      reached.toSorted((a, b) => a - b),
    );
    assert.ok(reached[0] < reached[KILLS - 1] && reached[KILLS - 1] < 1, reached.join());

    // What is urgent does not wait for it.
    const urgent = ["--from", "-30m", "--match", "sold_0", "--priority", "high", "--wait", "--json"];
    assert.equal((await backfill(flow.file, ...urgent)).last?.state, "healed");
    const { lines } = await backfill(flow.file, "--list", "--json");
    assert.equal(lines.find((line) => line.id === id)?.state, "healing");

    const { exitCode, stderr, last } = await backfill(flow.file, "--watch", id, "--json");
    assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" });
    assert.equal(last?.state, "healed");

    const to = await stopScraping();
    await waitFor(
      "live samples are sent",
      () => watermark(flow),
      (reachedMs) => reachedMs >= to,
    );
    const range = { from: past.range.from, to };
    const stored = await storedSamples(flow.config, SELECTOR, range);
    assert.ok(countSamples(stored) > 100_000, String(countSamples(stored)));
    assertSameSamples(await rawSamples(flow.config, range), stored);
  });

  /** Ctrl-C ends the watching, says how to go on, and leaves the request alone. */
  async function interruptsWatching(id: string): Promise<void> {
    const child = spawn(process.execPath, [main, "--config", flow.file, "backfill", "--watch", id]);
    const said = { stdout: "", stderr: "" };
    child.stdout.on("data", (text: Buffer) => (said.stdout += text.toString()));
    child.stderr.on("data", (text: Buffer) => (said.stderr += text.toString()));
    await waitFor(
      "it tells of the progress",
      () => said.stdout,
      (text) => text.includes(id),
    );
    const ended = once(child, "close");
    child.kill("SIGINT");
    assert.deepEqual(await ended, [0, null]);
    assert.match(said.stderr, new RegExp(`^The poller goes on. .+--watch ${id}.+--cancel ${id}`));
  }

  async function backfilled(): Promise<number> {
    const samples = await metricsOf(flow, "poller");
    return samples
      .filter(
        ({ name, labels }) => name === "millrace_backfill_samples_total" && labels["outcome"] === "sent",
      )
      .reduce((sum, { value }) => sum + value, 0);
  }
});

/** Begins; ends with the scrape that is under way. */
function scrapeEverySecond({ scrape }: Past): () => Promise<number> {
  const stopping = new AbortController();
  const run = async () => {
    for (;;) {
      const now = Date.now();
      await scrape(now);
      if (stopping.signal.aborted) return now;
      await sleep(1_000);
    }
  };
  const running = run();
  return () => {
    stopping.abort();
    return running;
  };
}
