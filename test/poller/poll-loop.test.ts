import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import { Registry } from "prom-client";
import { createComplete } from "../../services/poller/completeness/complete-matrix.js";
import { createMetricTypes } from "../../services/poller/metric-types.js";
import { createOutage } from "../../services/shared/outage.js";
import { type Progress, pollUntil } from "../../services/poller/poll-loop.js";
import { createPollerMetrics } from "../../services/poller/poller-metrics.js";
import { connectPrometheus } from "../../services/poller/prometheus-client.js";
import { createSentSamples } from "../../services/poller/sent-samples.js";
import { createSeriesDirectory } from "../../services/poller/series-directory.js";
import { assignmentOf } from "../../services/poller/templates.js";
import { etlSchema } from "../../services/shared/config-schema.js";
import type { ErrorCode } from "../../services/shared/errors.js";
import type { RawFrame } from "../../services/shared/frame.js";
import { type FakePrometheus, refuse, startFakePrometheus } from "./fake-prometheus.js";

const START = 1_760_000_000_000;
const labels = { __name__: "load", job: "a", instance: "i" };
let fake: FakePrometheus;

/** A poll loop on a clock that begins at START, with an array for Kafka. */
function startLoop(
  schedule: { interval?: number; max_window?: number } = {},
  options: { timeout?: number } = {},
) {
  const startedAt = performance.now();
  const now = () => START + Math.floor(performance.now() - startedAt);
  const config = etlSchema.parse({
    extract: {
      prometheus: { url: fake.url, timeout: options.timeout ?? 0.1, retry_attempts: 1, rate_limit: 10_000 },
      templates: { all: { selectors: ["load", "idle"] } },
      jobs: { live: { templates: ["all"] } },
    },
  });
  const client = connectPrometheus(config.extract.prometheus, { now, firstRetryMs: 1 });
  const metrics = createPollerMetrics(new Registry());
  const assignment = assignmentOf("live", config);
  const stop = new AbortController();
  const reasons: (string | null)[] = [];
  const from = {
    job: "live",
    source: "prometheus",
    schedule: { ...config.extract.jobs["live"], interval: 20, overlap: 300, ...schedule },
    templates: assignment.own,
    client,
    complete: createComplete(client),
    directory: createSeriesDirectory({ client, types: createMetricTypes(client, now), assignment, now }),
    outage: createOutage({
      subject: "poll",
      details: {},
      logger: pino({ level: "silent" }),
      setReason: (reason) => reasons.push(reason),
      now,
    }),
    metrics,
    now,
  };
  const progress: Progress = { watermark: START - 10_000, sent: createSentSamples() };
  const topic: RawFrame[] = [];
  const watermarks: number[] = [];
  const ended = pollUntil(stop.signal, from, progress, (frames, watermark) => {
    topic.push(...frames);
    watermarks.push(watermark);
    return Promise.resolve();
  });
  return {
    now,
    topic,
    watermarks,
    reasons,
    metrics,
    samples: () => topic.flatMap((f) => f.series.map(({ key }, i) => `${key} ${f.timestamp} ${f.values[i]}`)),
    stop: async () => {
      stop.abort();
      await ended;
      await client.close();
    },
  };
}

const loops: ReturnType<typeof startLoop>[] = [];
function start(...settings: Parameters<typeof startLoop>) {
  const loop = startLoop(...settings);
  loops.push(loop);
  return loop;
}

async function until(condition: () => boolean | Promise<boolean>, what: string) {
  const deadline = performance.now() + 10_000;
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, `never ${what}`);
    await sleep(5);
  }
}

const isRaw = () => !/count_over_time/.test(fake.requests.at(-1)?.form.get("query") ?? "");

const expected = (...timestamps: number[]) =>
  timestamps.map((timestamp) => `load{instance="i",job="a"} ${timestamp} ${timestamp - START}`);

function store(...timestamps: number[]) {
  for (const timestamp of timestamps) fake.store(labels, timestamp, timestamp - START);
}

beforeEach(async () => {
  fake = await startFakePrometheus();
});
afterEach(async () => {
  await Promise.all(loops.splice(0).map((loop) => loop.stop()));
  await fake.close();
});

describe("pollUntil", () => {
  it("catches up in order and windows of at most max_window, as backfill, and then goes on live", async () => {
    const history = Array.from({ length: 100 }, (_, i) => START - 9_950 + i * 100);
    store(...history);
    const loop = start({ max_window: 700 });
    await until(() => loop.topic.length === 100, "caught up");
    assert.deepEqual(loop.samples(), expected(...history));
    for (const { origin, timestamp, ingestedAt } of loop.topic) {
      assert.ok(ingestedAt >= START);
      if (timestamp < START - 340) assert.equal(origin, "backfill");
    }
    for (const { form } of fake.requests.filter(({ path }) => path.endsWith("/query"))) {
      const [, ms] = /\[(\d+)ms[\]:]/.exec(form.get("query") ?? "") ?? [];
      assert.ok(Number(ms) <= 700);
    }
    const live = loop.now() + 50;
    store(live);
    await until(() => loop.topic.length === 101, "live");
    assert.deepEqual(loop.samples(), expected(...history, live));
    assert.equal(loop.topic[100].origin, "live");
    assert.deepEqual(loop.watermarks, [...loop.watermarks].sort());
  });

  it("sends what is stored late within the overlap, once", async () => {
    const loop = start();
    const seen = () => loop.watermarks.length;
    await until(() => seen() > 2, "polled");
    const stored: number[] = [];
    // Scrapes: dated by their start, visible up to the overlap later, in any order.
    for (let i = 0; i < 60; i++) {
      const timestamp = loop.now() - ((i * 7919) % 250);
      if (!stored.includes(timestamp)) {
        store(timestamp);
        stored.push(timestamp);
      }
      await sleep((i * 31) % 17);
    }
    const end = loop.now();
    await until(() => (loop.watermarks.at(-1) ?? 0) > end, "beyond the overlap");
    assert.deepEqual(loop.samples().sort(), expected(...stored).sort());
    const late = (await loop.metrics.lateSamples.get()).values[0].value;
    assert.ok(late > 0 && late < stored.length);
  });

  const faults: [string, ErrorCode, FakePrometheus["fault"]][] = [
    ["500", "PROM_UNAVAILABLE", (_, response) => refuse(response, 500, "internal")],
    ["slow", "PROM_TIMEOUT", () => true],
    [
      "reset",
      "PROM_UNAVAILABLE",
      (request) => {
        request.socket.resetAndDestroy();
        return true;
      },
    ],
    ["broken JSON", "PROM_BAD_RESPONSE", (_, response) => response.end('{"status":"succ').writableEnded],
    [
      "warnings",
      "PROM_INCOMPLETE",
      (_, response) =>
        response.end('{"status":"success","data":{"resultType":"matrix","result":[]},"warnings":["half"]}')
          .writableEnded,
    ],
    ["401", "PROM_UNAUTHORIZED", (_, response) => refuse(response, 401, "unauthorized")],
    ["400", "PROM_QUERY_REFUSED", (_, response) => refuse(response, 400, "bad_data")],
    ["422", "PROM_WINDOW_TOO_LARGE", (_, response) => refuse(response, 422, "execution")],
  ];
  for (const [name, code, fault] of faults)
    it(`${name}: nothing is sent, the watermark stands, and afterwards everything comes once`, async () => {
      const loop = start();
      const first = loop.now();
      store(first);
      await until(() => loop.topic.length === 1, "worked");
      // One of two queries failing must hold back the whole window.
      fake.fault = (request, response) =>
        request.url === "/api/v1/query" && (fault?.(request, response) ?? false);
      const failures = async () =>
        (await loop.metrics.pollFailures.get()).values.reduce(
          (sum, { labels, value }) => (labels.code === code ? sum + value : sum),
          0,
        );
      await until(async () => (await failures()) > 0, "failed");
      const { length } = loop.watermarks;
      const during = loop.now();
      store(during, during - 100);
      await until(async () => (await failures()) > 2, "failed again");
      assert.equal(loop.watermarks.length, length);
      assert.match(loop.reasons.at(-1) ?? "", new RegExp(`^${code}: `));

      fake.fault = null;
      await until(() => loop.topic.length === 3, "recovered");
      const recoveredAt = loop.now();
      await until(() => (loop.watermarks.at(-1) ?? 0) > recoveredAt, "beyond the overlap");
      assert.deepEqual(loop.samples(), expected(first, during - 100, during));
      assert.equal(loop.reasons.at(-1), null);
    });

  it("halves a window that is too much until it is not", async () => {
    const history = Array.from({ length: 20 }, (_, i) => START - 9_950 + i * 500);
    store(...history);
    fake.fault = (_request, response) => {
      const { form } = fake.requests[fake.requests.length - 1];
      const ms = Number(/\[(\d+)ms\]/.exec(form.get("query") ?? "")?.[1] ?? 0);
      return ms > 2_000 && refuse(response, 422, "execution");
    };
    const loop = start();
    await until(() => loop.topic.length === 20, "caught up");
    assert.deepEqual(loop.samples(), expected(...history));
    assert.deepEqual((await loop.metrics.pollFailures.get()).values, []);
  });

  it("a late sample that is read before the end of a long catch-up is not passed over", async () => {
    // The last window of the catch-up is shorter than the overlap, and begins behind what is not settled yet.
    store(START - 9_000);
    const loop = start({ max_window: 9_900 });
    await until(() => loop.watermarks.length > 0, "polled");
    const late = loop.now() - 250;
    store(late);
    await until(() => loop.topic.length === 2, "late one read");
    assert.deepEqual(loop.samples(), expected(START - 9_000, late));
  });

  it("an answer that lacks samples without a word is completed before the watermark moves", async () => {
    const history = Array.from({ length: 100 }, (_, i) => START - 9_950 + i * 100);
    store(...history);
    let answers = 0;
    fake.fault = (request) => {
      if (request.url === "/api/v1/query" && isRaw()) answers++;
      return false;
    };
    // Every other answer is cut off.
    fake.hides = (_labels, timestamp) => answers % 4 < 2 && timestamp % 700 < 300;
    const loop = start({ max_window: 3_000 });
    await until(() => loop.topic.length === 100, "caught up");
    assert.deepEqual(loop.samples().sort(), expected(...history).sort());
    assert.ok((await loop.metrics.recovered.get()).values[0].value > 0);
    assert.deepEqual((await loop.metrics.pollFailures.get()).values, []);
  });

  it("what is counted and never shown holds the watermark and is told of; what is shown flows on", async () => {
    const hidden = START - 9_000;
    store(START - 9_500, hidden, START - 8_000);
    fake.hides = (_labels, timestamp) => timestamp === hidden;
    const loop = start({ max_window: 5_000 });
    await until(() => loop.reasons.length > 1, "told of");
    assert.match(
      loop.reasons.at(-1) ?? "",
      /^PROM_INCOMPLETE: Prometheus counts 1 samples from 2025-10-09T.* that it does not show, of load\{/,
    );
    assert.deepEqual(loop.samples(), expected(START - 9_500, START - 8_000));
    assert.deepEqual([...new Set(loop.watermarks)], [START - 10_000]);
    assert.equal((await loop.metrics.missing.get()).values[0].value, 1);

    fake.hides = null;
    await until(() => (loop.watermarks.at(-1) ?? 0) > hidden, "shown again");
    assert.deepEqual(loop.samples().slice(0, 3), expected(START - 9_500, START - 8_000, hidden));
    assert.equal(loop.reasons.at(-1), null);
    assert.equal((await loop.metrics.missing.get()).values[0].value, 0);
  });

  it("leaves Prometheus alone for as long as it asks", async () => {
    fake.fault = (_request, response) => refuse(response, 429, "unavailable", { "retry-after": "1" });
    const loop = start();
    await until(() => loop.reasons.length > 0, "refused");
    const { length } = fake.requests;
    await sleep(300);
    assert.equal(fake.requests.length, length);
    fake.fault = null;
    await until(() => loop.watermarks.length > 0, "recovered");
  });

  it("does not trust a clock ahead of Prometheus's", async () => {
    const behind = START - 60_000;
    fake.fault = (_request, response) => {
      response.setHeader("date", new Date(behind).toUTCString());
      return false;
    };
    store(START - 9_000);
    const loop = start();
    await until(() => fake.requests.length > 20, "polled");
    assert.deepEqual(loop.watermarks, [START - 10_000]);
    store(START - 9_500);
    await until(() => loop.topic.length === 2, "read again");
    assert.deepEqual(loop.samples(), expected(START - 9_000, START - 9_500));
  });

  it("sends a watermark alone only now and then", async () => {
    const loop = start();
    const startedAt = loop.now();
    await until(() => loop.now() > startedAt + 1_000, "a second");
    const moves = loop.watermarks.map((watermark, i) => watermark - (i === 0 ? 0 : loop.watermarks[i - 1]));
    assert.ok(moves.length >= 3 && Math.min(...moves) >= 100, `moved by ${moves.join(" ")}`);
  });

  it("polls aligned to the interval, one at a time", async () => {
    const phases: number[] = [];
    let running = 0;
    let most = 0;
    const loop = start({ interval: 100 });
    fake.fault = (_request, response) => {
      most = Math.max(most, ++running);
      response.once("close", () => running--);
      if (fake.requests.at(-1)?.form.get("query")?.startsWith("load")) phases.push(loop.now() % 100);
      return false;
    };
    await until(() => phases.length >= 10, "polled");
    assert.ok(most <= 2, "more than the two selectors of one poll at a time");
    // No drift: the middle poll, too, is soon after the tick, however busy the machine.
    assert.ok(phases.sort((a, b) => a - b)[5] < 50, `phases ${phases.join(" ")}`);
  });
});
