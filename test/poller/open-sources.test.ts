import assert from "node:assert/strict";
import { it } from "node:test";
import { Registry } from "prom-client";
import { openSources } from "../../services/poller/open-sources.js";
import { createPollerMetrics } from "../../services/poller/poller-metrics.js";
import { etlSchema } from "../../services/shared/config-schema.js";
import { refuse, startFakePrometheus } from "./fake-prometheus.js";

const { signal } = new AbortController();

it("openSources gives each job its Prometheus, and tells of each whether its last query succeeded", async () => {
  const [us, eu] = [await startFakePrometheus(), await startFakePrometheus("/eu")];
  const { extract } = etlSchema.parse({
    extract: {
      prometheus: { url: us.url, retry_attempts: 0 },
      sources: {
        eu: { url: eu.url, retry_attempts: 0 },
        unread: { url: "http://127.0.0.1:1", tls: { ca_file: "/no/such/file" } },
      },
      jobs: {
        here: { templates: ["system"] },
        there: { templates: ["system"], source: "eu" },
        alsoThere: { templates: ["custom"], source: "eu" },
      },
    },
  });
  const metrics = createPollerMetrics(new Registry());
  const sources = openSources(extract, { metrics, now: Date.now });
  const up = async () =>
    Object.fromEntries(
      (await metrics.sourceUp.get()).values.map(({ labels, value }) => [String(labels.source), value]),
    );
  try {
    assert.equal(sources.of("there"), sources.of("alsoThere"));
    assert.deepEqual([sources.of("here").name, sources.of("there").name], ["prometheus", "eu"]);
    assert.deepEqual(await up(), {});

    await sources.of("here").client.version(signal);
    eu.fault = (_, response) => refuse(response, 503, "unavailable");
    await assert.rejects(sources.of("there").client.version(signal), { code: "PROM_UNAVAILABLE" });
    assert.deepEqual(await up(), { prometheus: 1, eu: 0 });
    assert.deepEqual([us.requests.length, eu.requests.length], [1, 1]);

    eu.fault = null;
    us.fault = (_, response) => refuse(response, 503, "unavailable");
    await sources.of("there").backfillClient.version(signal);
    await assert.rejects(sources.of("here").backfillClient.version(signal), { code: "PROM_UNAVAILABLE" });
    assert.deepEqual(await up(), { prometheus: 0, eu: 1 });
    const queries = (await metrics.queries.get()).values.map(
      ({ labels, value }) => `${labels.source} ${labels.outcome} ${value}`,
    );
    assert.deepEqual(queries.sort(), [
      "eu failure 1",
      "eu success 1",
      "prometheus failure 1",
      "prometheus success 1",
    ]);
  } finally {
    await sources.close();
    await Promise.all([us.close(), eu.close()]);
  }
});
