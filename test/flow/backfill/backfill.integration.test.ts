import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  type BackfillRequest,
  gapRequestId,
  requestMessage,
} from "../../../services/shared/backfill-request.js";
import { createKafka, openIdempotentProducer } from "../../../services/shared/kafka.js";
import { connectSchemas } from "../../../services/shared/schema-registry.js";
import { DEFAULT_SOURCE } from "../../../services/shared/source-name.js";
import { createLogger } from "../../../services/shared/telemetry.js";
import { schemaText, topicName, topics } from "../../../services/shared/topics.js";
import { storedSamples } from "../prometheus-answers.js";
import {
  type Flow,
  type RunningService,
  alarms,
  beginning,
  metricsOf,
  openFlow,
  readiness,
  untilReady,
} from "../running-services.js";
import { type Range, type Samples, assertSameSamples, countSamples } from "../samples.js";
import { waitFor } from "../wait-for.js";
import { backfill, rawSamples } from "./backfilled.js";
import { type Past, openPast } from "./past.js";

const HOUR_MS = 3_600_000;
const SELECTOR = '{__name__=~"sold_.+"}';
const iso = (ms: number) => new Date(ms).toISOString();

describe("millrace backfill", () => {
  let past: Past;
  let flow: Flow;
  let poller: RunningService;
  /** What the live job finds when it starts: the last ten minutes. */
  let live: Samples;

  const rangeArgs = ({ from, to }: Range) => ["--from", iso(from), "--to", iso(to)];
  const stored = (range: Range, selector = SELECTOR) => storedSamples(flow.config, selector, range);

  before(async () => {
    past = await openPast({ lengthMs: 3 * HOUR_MS, intervalMs: 5_000, instances: 3, metrics: 10 });
    flow = await openFlow({
      extract: {
        prometheus: { url: past.url },
        templates: { shop: { selectors: [SELECTOR] } },
        jobs: { live: { templates: ["shop"], overlap: "5s", initial_lookback: "10m" } },
        backfill: { chunk_samples: 3_000, live_lag_max: "30s" },
      },
    });
    poller = flow.start("poller");
    await untilReady(flow, ["poller"]);
    live = await stored({ from: await beginning(poller), to: past.range.to });
  });
  after(async () => {
    await flow.close();
    await past.close();
  });

  it("sends what the live job never read, once, bit for bit, and no other", async () => {
    assert.ok(countSamples(live) > 1_000);
    // Beyond the past on both sides; the end is newer than the watermark.
    const { exitCode, stderr, lines, last } = await backfill(flow.file, "--from", "-4h", "--wait", "--json");
    assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" });
    const all = await stored(past.range);
    assertSameSamples(await rawSamples(flow.config, past.range), all);
    assert.equal(last?.state, "healed");
    assert.equal(last.found, countSamples(all));
    assert.equal(last.sent, countSamples(all) - countSamples(live));
    assert.ok(lines.length > 1 && lines.some(({ state }) => state === "healing"));
    // The target's gap, to the step of the count.
    const [gap, ...others] = last.sourceGaps;
    assert.deepEqual(others, []);
    assert.equal(gap.target, '{instance="down",job="shop"}');
    assert.ok(Math.abs(Date.parse(gap.from) - past.down.from) <= 60_000, gap.from);
    assert.ok(Math.abs(Date.parse(gap.to) - past.down.to) <= 60_000, gap.to);
  });

  it("sends nothing twice where it is asked again", async () => {
    const { exitCode, last } = await backfill(flow.file, ...rangeArgs(past.range), "--wait", "--json");
    assert.equal(exitCode, 0);
    assert.deepEqual([last?.state, last?.sent], ["healed", 0]);
    assert.equal(countSamples(await rawSamples(flow.config, past.range)), last?.found);
  });

  it("tells of a range that the source has nothing of, since the target was down, and does not try it again", async () => {
    const range = { from: past.down.from + 300_000, to: past.down.to - 300_000 };
    const args = [...rangeArgs(range), "--match", '{instance="down"}', "--wait", "--json"];
    const { exitCode, stderr, last } = await backfill(flow.file, ...args);
    assert.equal(exitCode, 1);
    assert.match(stderr, /^BACKFILL_TARGET_DOWN: Request [0-9a-f]+: The targets were down/);
    assert.deepEqual([last?.state, last?.found], ["unhealable", 0]);

    const id = await ask({
      reason: "sink_gap",
      selector: '{instance="down"}',
      ...range,
      from: range.from + 9,
    });
    const { last: again } = await backfill(flow.file, "--watch", id, "--json");
    assert.deepEqual([again?.state, again?.code], ["unhealable", "BACKFILL_TARGET_DOWN"]);
    assert.ok(poller.log.some(({ event, request }) => event === "backfill.settled" && request === id));
    assert.ok(
      !poller.log.some(({ event, requests }) => event === "backfill.started" && String(requests) === id),
    );
  });

  it("heals requests that overlap as one, each with its own counts", async () => {
    const { from } = past.range;
    const [early, late] = [
      { from: from + 600_000, to: from + 1_200_000 },
      { from: from + 900_000, to: from + 1_500_000 },
    ];
    const ids = await Promise.all(
      [early, late].map((range) => ask({ selector: "sold_3", reason: "processor_gap", ...range })),
    );
    for (const [i, range] of [early, late].entries()) {
      const { last } = await backfill(flow.file, "--watch", ids[i], "--json");
      const expected = countSamples(await stored(range, "sold_3"));
      assert.deepEqual([last?.state, last?.found, last?.sent], ["healed", expected, 0]);
    }
  });

  it("refuses what Kafka might delete before it is processed, and says from when on it works", async () => {
    const { exitCode, stderr } = await backfill(flow.file, "--from", "-40d");
    assert.equal(exitCode, 1);
    const [, oldest] = /^BACKFILL_TOO_OLD: What is older than (\S+) /.exec(stderr) ?? [];
    assert.ok(Math.abs(Date.now() - 29 * 24 * HOUR_MS - Date.parse(oldest)) < 60_000, stderr);

    // Whoever writes the request himself meets the same.
    const days = (count: number) => Date.now() - count * 24 * HOUR_MS;
    const id = await ask({ from: days(50), to: days(40), reason: "processor_gap" });
    const { last } = await backfill(flow.file, "--watch", id, "--json");
    assert.deepEqual([last?.state, last?.code, last?.sent], ["unhealable", "BACKFILL_TOO_OLD", 0]);
  });

  it("fails a request that nobody could serve, and goes on with the next", async () => {
    const unknown = await ask({ job: "nightly" });
    const refused = await ask({ selector: '{job=~"(?<name>x)\\\\C"}' });
    for (const [id, code] of [
      [unknown, "BACKFILL_REFUSED"],
      [refused, "PROM_QUERY_REFUSED"],
    ] as const) {
      const { last } = await backfill(flow.file, "--watch", id, "--json");
      assert.deepEqual([last?.state, last?.code], ["failed", code]);
    }
    const { last } = await backfill(flow.file, "--from", "-2h", "--match", "sold_1", "--wait", "--json");
    assert.equal(last?.state, "healed");
  });

  it("lists all requests, and cancels those that are not done", async () => {
    // Not to be served: its range has not come yet.
    const id = await ask({ from: Date.now() + HOUR_MS, to: Date.now() + 2 * HOUR_MS });
    assert.match((await backfill(flow.file, "--cancel", id)).stdout, /is cancelled/);
    const { last } = await backfill(flow.file, "--watch", id, "--json");
    assert.equal(last?.state, "cancelled");
    assert.match((await backfill(flow.file, "--cancel", id)).stdout, /was cancelled already/);

    const { lines } = await backfill(flow.file, "--list", "--json");
    const states = new Set(lines.map(({ state }) => state));
    assert.deepEqual(states, new Set(["healed", "unhealable", "failed", "cancelled"]));
    const { stdout } = await backfill(flow.file, "--list");
    assert.equal(stdout.trim().split("\n").length, lines.length + 1);
    const { exitCode, stderr } = await backfill(flow.file, "--watch", "nosuch");
    assert.equal(exitCode, 1);
    assert.match(stderr, /^BACKFILL_UNKNOWN/);
  });

  it("counts all of it, and the poller is ready throughout", async () => {
    const { lines } = await backfill(flow.file, "--list", "--json");
    const metrics = await waitFor(
      "the metrics tell of every request",
      () => metricsOf(flow, "poller"),
      (samples) => counted(samples, "millrace_backfill_requests", "state", "cancelled") === 1,
    );
    const healed = lines.filter(({ state }) => state === "healed");
    assert.equal(counted(metrics, "millrace_backfill_requests", "state", "healed"), healed.length);
    const sent = lines.reduce((sum, line) => sum + line.sent, 0);
    assert.equal(counted(metrics, "millrace_backfill_samples_total", "outcome", "sent"), sent);
    assert.deepEqual(await readiness(flow, "poller"), {});
    const { exitCode } = await poller.stop();
    assert.equal(exitCode, 0);
    assert.deepEqual(alarms(poller.log), ["backfill.gave_up PROM_QUERY_REFUSED"]);
  });

  /** Writes a request as a service would. Resolves to its id. */
  async function ask(request: Partial<BackfillRequest>): Promise<string> {
    const { config } = flow;
    const whole = {
      source: DEFAULT_SOURCE,
      job: "live",
      selector: "",
      from: past.range.from,
      to: past.range.to,
      priority: "normal",
      reason: "processor_gap",
      requestedBy: "test",
      requestedAt: Date.now(),
      ...request,
    } as const;
    const schemaId = await connectSchemas(config).register("backfill", schemaText(topics.backfill.schema));
    const producer = await openIdempotentProducer(
      createKafka(config, "test", createLogger("test", "silent")),
    );
    const to = { topic: topicName("backfill", config.kafka.topic_prefix), schemaId };
    const id = gapRequestId(whole);
    await producer.send([
      requestMessage(to, { ...whole, id }, { cancelled: false, timestamp: whole.requestedAt }),
    ]);
    await producer.close();
    return id;
  }
});

function counted(
  samples: Awaited<ReturnType<typeof metricsOf>>,
  name: string,
  label: string,
  value: string,
): number {
  return samples
    .filter((sample) => sample.name === name && sample.labels[label] === value)
    .reduce((sum, sample) => sum + sample.value, 0);
}
