import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { pino } from "pino";
import { readChunk, untilAnswered } from "../../../services/poller/backfill/read-chunk.js";
import { createMetricTypes } from "../../../services/poller/metric-types.js";
import { type PrometheusClient, connectPrometheus } from "../../../services/poller/prometheus-client.js";
import { createSentSamples } from "../../../services/poller/sent-samples.js";
import { compileRelabelling } from "../../../services/poller/relabel.js";
import { createSeriesDirectory } from "../../../services/poller/series-directory.js";
import { etlSchema } from "../../../services/shared/config-schema.js";
import { type ErrorCode, MillraceError } from "../../../services/shared/errors.js";
import { createOutage } from "../../../services/shared/outage.js";
import { type FakePrometheus, refuse, startFakePrometheus } from "../fake-prometheus.js";

const START = 1_760_000_000_000;
const outage = () =>
  createOutage({
    subject: "test",
    details: {},
    logger: pino({ level: "silent" }),
    setReason: () => undefined,
    now: () => 0,
  });
const { signal } = new AbortController();

describe("readChunk", () => {
  let fake: FakePrometheus;
  let client: PrometheusClient;
  beforeEach(async () => {
    fake = await startFakePrometheus();
    const { extract } = etlSchema.parse({
      extract: { prometheus: { url: fake.url, retry_attempts: 0, rate_limit: 10_000 } },
    });
    client = connectPrometheus(extract.prometheus, { now: () => START, firstRetryMs: 1 });
    for (let i = 0; i <= 8; i++)
      fake.store({ __name__: "load", job: "a", instance: "i" }, START + i * 1_000, i);
  });
  afterEach(async () => {
    await client.close();
    await fake.close();
  });

  const window = { from: START, to: START + 8_000 };
  const read = (sent = createSentSamples()) => {
    const template = { name: "t", entity: ["job"], selectors: ["load"] };
    const types = createMetricTypes(client, () => START);
    const { limits } = etlSchema.parse({}).extract;
    const assignment = { own: [template], earlier: [], relabel: compileRelabelling([]), limits };
    const directory = createSeriesDirectory({
      client,
      types,
      assignment,
      now: () => START,
    });
    return readChunk(window, { client, directory, templates: [template], outage: outage() }, sent, signal);
  };

  it("reads in halves what is too much, down to windows that are not, and finds each sample once", async () => {
    fake.fault = (_, response) => {
      const { path, form } = fake.requests[fake.requests.length - 1];
      const [, ms] = /\[(\d+)ms\]/.exec(form.get("query") ?? "") ?? [];
      return path.endsWith("/query") && Number(ms) > 2_000 && refuse(response, 422, "execution");
    };
    const { runs, found } = await read();
    assert.equal(found, 8);
    const values = runs.flatMap((run) => Array.from(run.values));
    assert.deepEqual(values, [1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("gives up what is too much in the shortest window, too", async () => {
    fake.fault = (_, response) =>
      fake.requests[fake.requests.length - 1].path.endsWith("/query") && refuse(response, 422, "execution");
    await assert.rejects(read(), { code: "PROM_WINDOW_TOO_LARGE" });
  });

  it("counts what was sent already as found, also where Prometheus had to be asked again", async () => {
    const sent = createSentSamples();
    const entity = { key: "{}", labels: {}, encoded: Buffer.alloc(0) };
    const { runs } = await read();
    sent.add({
      entity,
      timestamp: START + 3_000,
      origin: "live",
      source: "prometheus",
      ingestedAt: 0,
      series: [runs[0].series],
      values: Float64Array.of(3),
      stale: new Uint8Array(1),
    });
    let failures = 2;
    fake.fault = (_, response) => failures-- > 0 && refuse(response, 503, "unavailable");
    const again = await read(sent);
    assert.equal(again.found, 8);
    assert.deepEqual(Array.from(again.runs[0].values), [1, 2, 4, 5, 6, 7, 8]);
  });
});

describe("untilAnswered", () => {
  /** Fails with these, one after the other, and then answers. */
  const asked = (codes: ErrorCode[], isDivisible = true) => {
    const left = [...codes];
    const ask = () => {
      const code = left.shift();
      return code === undefined
        ? Promise.resolve("answer")
        : Promise.reject(new MillraceError(code, "As told."));
    };
    return untilAnswered(ask, { outage: outage(), isDivisible }, signal);
  };

  it("waits for a Prometheus that is away, and for one that is slow with what cannot be divided", async () => {
    assert.equal(await asked(["PROM_UNAVAILABLE", "PROM_UNAVAILABLE", "PROM_UNAVAILABLE"]), "answer");
    assert.equal(await asked(["PROM_TIMEOUT", "PROM_TIMEOUT", "PROM_TIMEOUT"], false), "answer");
  });

  it("gives up what asking again does not change", async () => {
    await assert.rejects(asked(["PROM_QUERY_REFUSED"]), { code: "PROM_QUERY_REFUSED" });
    await assert.rejects(asked(["PROM_TIMEOUT", "PROM_TIMEOUT"]), { code: "PROM_WINDOW_TOO_LARGE" });
  });
});
