import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { watermarkMessage } from "../../../services/poller/watermark.js";
import { createKafka, openIdempotentProducer } from "../../../services/shared/kafka.js";
import { connectSchemas } from "../../../services/shared/schema-registry.js";
import { DEFAULT_SOURCE } from "../../../services/shared/source-name.js";
import { createLogger } from "../../../services/shared/telemetry.js";
import { schemaText, topicName, topics } from "../../../services/shared/topics.js";
import { storedSamples } from "../prometheus-answers.js";
import { type Flow, type RunningService, alarms, beginning, openFlow } from "../running-services.js";
import { assertSameSamples } from "../samples.js";
import { waitFor } from "../wait-for.js";
import { backfill, rawSamples } from "./backfilled.js";
import { type Past, openPast } from "./past.js";

const SELECTOR = '{__name__=~"sold_.+"}';
const CATCH_UP_LIMIT_MS = 300_000;

describe("a downtime longer than catch_up_limit", () => {
  let past: Past;
  let flow: Flow;
  let poller: RunningService;

  before(async () => {
    past = await openPast({ lengthMs: 3_600_000, intervalMs: 5_000, instances: 2, metrics: 5 });
    flow = await openFlow({
      extract: {
        prometheus: { url: past.url },
        templates: { shop: { selectors: [SELECTOR] } },
        jobs: { live: { templates: ["shop"], overlap: "5s", catch_up_limit: `${CATCH_UP_LIMIT_MS}ms` } },
      },
    });
    await wentDownAt(past.range.from);
    poller = flow.start("poller");
  });
  after(async () => {
    await flow.close();
    await past.close();
  });

  it("does not keep live data waiting: its last part is caught up, the rest backfilled, nothing is twice", async () => {
    const resumedAt = await beginning(poller);
    assert.ok(resumedAt > Date.now() - CATCH_UP_LIMIT_MS - 60_000, new Date(resumedAt).toISOString());

    const requests = () => backfill(flow.file, "--list", "--json");
    const { lines } = await waitFor("it is healed", requests, (list) => list.last?.state === "healed");
    assert.equal(lines.length, 1);
    const [{ from, to, reason, priority, job }] = lines;
    assert.deepEqual(
      { from: Date.parse(from), to: Date.parse(to), reason, priority, job },
      { from: past.range.from, to: resumedAt, reason: "restart", priority: "high", job: "live" },
    );
    // The live job reads chronologically: with the last sample all of its part is there.
    const stored = await storedSamples(flow.config, SELECTOR, past.range);
    const newest = Math.max(...[...stored.values()].flatMap((ofSeries) => [...ofSeries.keys()]));
    const raw = await waitFor(
      "the live job has caught up",
      () => rawSamples(flow.config, past.range),
      (samples) => [...samples.values()].some((ofSeries) => ofSeries.has(newest)),
    );
    assertSameSamples(raw, stored);
    assert.deepEqual(alarms(poller.log), ["job.skipped_ahead"]);
  });

  /** As if a poller had run until then. */
  async function wentDownAt(watermark: number): Promise<void> {
    const { config } = flow;
    const schemaId = await connectSchemas(config).register("state", schemaText(topics.state.schema));
    const producer = await openIdempotentProducer(
      createKafka(config, "test", createLogger("test", "silent")),
    );
    const state = { source: DEFAULT_SOURCE, job: "live", watermark, updatedAt: watermark };
    await producer.send([watermarkMessage(topicName("state", config.kafka.topic_prefix), schemaId, state)]);
    await producer.close();
  }
});
