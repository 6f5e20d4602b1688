import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import fc from "fast-check";
import { createComplete } from "../../../services/poller/completeness/complete-matrix.js";
import type { CountingClient } from "../../../services/poller/completeness/count-samples.js";
import type { Matrix } from "../../../services/poller/prometheus-answer.js";
import { type PrometheusClient, connectPrometheus } from "../../../services/poller/prometheus-client.js";
import { etlSchema } from "../../../services/shared/config-schema.js";
import type { Labels } from "../../../services/shared/frame.js";
import { internSeries } from "../../../services/shared/series.js";
import { type FakePrometheus, startFakePrometheus } from "../fake-prometheus.js";

const FROM = 1_760_000_000_000;
const window = { from: FROM, to: FROM + 60_000 };
const { signal } = new AbortController();
/** Metrics that are the same series once their names are dropped, and names that need quotes and escapes. */
const sets: Labels[] = ["load", "idle"].flatMap((name) =>
  ["a", 'b"\\\n', "ü"].map((instance) => ({ __name__: name, instance, job: "j" })),
);
const WIDE = '{job="j"}';

let fake: FakePrometheus;
let client: PrometheusClient;

before(async () => {
  fake = await startFakePrometheus();
  const { extract } = etlSchema.parse({ extract: { prometheus: { url: fake.url, rate_limit: 10_000 } } });
  client = connectPrometheus(extract.prometheus, { now: Date.now });
  // The window's edges and the middles of its halves among them.
  for (const [i, labels] of sets.entries())
    for (let timestamp = FROM; timestamp <= window.to + 1_000; timestamp += 500 + 10 * i)
      fake.store(labels, timestamp, timestamp - FROM);
});
afterEach(() => {
  fake.hides = null;
  fake.leftEdge = true;
  fake.requests.length = 0;
});
after(async () => {
  await client.close();
  await fake.close();
});

const keyOf = ({ __name__: metric = "", ...labels }: Labels) => internSeries(metric, labels, "unknown").key;

const samplesOf = ({ series }: Matrix) =>
  series
    .flatMap(({ labels, timestamps, values }) =>
      [...timestamps].map((timestamp, i) => `${keyOf(labels)} ${timestamp} ${values[i]}`),
    )
    .sort();

const counts = () =>
  fake.requests.filter(({ form }) => (form.get("query") ?? "").includes("count_over_time"));

describe("createComplete", () => {
  it("finds nothing missing by one count, whatever the left edge means, for a window that begins on a sample", async () => {
    for (const leftEdge of [true, false])
      for (const selector of ["load", WIDE]) {
        fake.leftEdge = leftEdge;
        const complete = createComplete(client);
        const matrix = await client.samples(selector, window, signal);
        for (let i = 0; i < 2; i++)
          assert.deepEqual(await complete(selector, matrix, window, signal), {
            matrix,
            recovered: 0,
            missing: 0,
            example: null,
          });
        assert.equal(counts().length, 3);
        fake.requests.length = 0;
      }
  });

  it("compares a part of the window by the samples in it", async () => {
    const matrix = await client.samples(WIDE, window, signal);
    const part = { from: window.from, to: window.from + 20_100 };
    assert.equal((await createComplete(client)(WIDE, matrix, part, signal)).missing, 0);
  });

  it("brings back whatever one answer lacked, and not a sample of it twice", async () => {
    const whole = samplesOf(await client.samples(WIDE, window, signal));
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.integer({ min: 1, max: 6_000 }),
        fc.integer({ min: 0, max: 60_000 }),
        fc.subarray([...sets.keys()], { minLength: 1 }),
        async (leftEdge, length, start, which) => {
          fake.leftEdge = leftEdge;
          const lacking = new Set(which.map((i) => keyOf(sets[i])));
          fake.hides = (labels, timestamp) =>
            lacking.has(keyOf(labels)) && timestamp > FROM + start && timestamp <= FROM + start + length;
          const matrix = await client.samples(WIDE, window, signal);
          fake.hides = null;
          const completed = await createComplete(client)(WIDE, matrix, window, signal);
          assert.deepEqual(samplesOf(completed.matrix), whole);
          assert.equal(completed.missing, 0);
          assert.equal(completed.recovered, whole.length - samplesOf(matrix).length);
        },
      ),
      { numRuns: 40, seed: 1 },
    );
  });

  it("reads only the slices again that lack something", async () => {
    for (let i = 0; i < 4_000; i++) fake.store({ __name__: "dense" }, FROM + i * 10, i);
    fake.hides = (_labels, timestamp) => timestamp > FROM + 5_000 && timestamp <= FROM + 5_600;
    const matrix = await client.samples("dense", window, signal);
    fake.hides = null;
    fake.requests.length = 0;
    const completed = await createComplete(client)("dense", matrix, window, signal);
    assert.equal(completed.recovered, 60);
    const read = fake.requests
      .map(({ form }) => /^dense\[(\d+)ms\]$/.exec(form.get("query") ?? "")?.[1])
      .filter((ms) => ms !== undefined);
    assert.deepEqual(read, ["7500"]);
    assert.ok(counts().length < 15, `${counts().length} counts`);
  });

  it("finds by its labels a series that only an exact selector shows", async () => {
    fake.hides = (labels, timestamp, selector) =>
      labels["instance"] === 'b"\\\n' && timestamp > FROM + 30_000 && !selector.includes("instance");
    const matrix = await client.samples(WIDE, window, signal);
    const completed = await createComplete(client)(WIDE, matrix, window, signal);
    fake.hides = null;
    assert.deepEqual(samplesOf(completed.matrix), samplesOf(await client.samples(WIDE, window, signal)));
    assert.equal(completed.missing, 0);
  });

  it("says what stays missing, of which series", async () => {
    fake.hides = (labels, timestamp) =>
      labels["__name__"] === "idle" && labels["instance"] === "a" && timestamp % 7_000 < 1_000;
    const shown = await client.samples(WIDE, window, signal);
    fake.hides = null;
    const lacked = samplesOf(await client.samples(WIDE, window, signal)).length - samplesOf(shown).length;
    assert.ok(lacked > 3);
    fake.hides = (labels, timestamp) =>
      labels["__name__"] === "idle" && labels["instance"] === "a" && timestamp % 7_000 < 1_000;
    const completed = await createComplete(client)(WIDE, shown, window, signal);
    assert.deepEqual(
      { missing: completed.missing, recovered: completed.recovered, example: completed.example },
      { missing: lacked, recovered: 0, example: 'idle{instance="a",job="j"}' },
    );
    assert.deepEqual(samplesOf(completed.matrix), samplesOf(shown));
  });

  it("a metric with more than is counted does not hide another's loss", async () => {
    const matrix = await client.samples(WIDE, window, signal);
    const more = matrix.series.findIndex(({ labels }) => labels["__name__"] === "idle");
    const less = matrix.series.findIndex(({ labels }) => labels["__name__"] === "load");
    const timestamps = Float64Array.from({ length: 300 }, (_, i) => FROM + 1 + i);
    const series = matrix.series.map((one, i) =>
      i === more
        ? { ...one, timestamps, values: timestamps }
        : i === less
          ? { ...one, timestamps: one.timestamps.subarray(1), values: one.values.subarray(1) }
          : one,
    );
    const completed = await createComplete(client)(WIDE, { ...matrix, series }, window, signal);
    assert.deepEqual([completed.missing, completed.recovered], [0, 1]);
    assert.deepEqual(completed.matrix.series[less], matrix.series[less]);
  });

  it("asks again how it counts before it says that something is missing: servers are replaced", async () => {
    const complete = createComplete(client);
    fake.leftEdge = false;
    const matrix = await client.samples(WIDE, window, signal);
    assert.equal((await complete(WIDE, matrix, window, signal)).missing, 0);
    fake.leftEdge = true;
    const { missing, recovered } = await complete(WIDE, matrix, window, signal);
    assert.deepEqual({ missing, recovered }, { missing: 0, recovered: 0 });
  });

  it("counts native histograms as samples that are there", async () => {
    const labels = { __name__: "h", instance: "a" };
    const counted: CountingClient = {
      samples: () => assert.fail("nothing is to be read again"),
      labelValues: () => assert.fail("the name is known"),
      instant: (query) =>
        Promise.resolve([{ labels: { metric: "0" }, value: query.includes("vector(1)") ? 1 : 5 }]),
    };
    const matrix = {
      series: [{ labels, timestamps: Float64Array.of(FROM + 1, FROM + 2), values: Float64Array.of(1, 2) }],
      histograms: [{ labels, timestamps: [FROM + 3, FROM + 4, FROM + 5] }],
    };
    assert.equal((await createComplete(counted)("h", matrix, window, signal)).missing, 0);
  });
});
