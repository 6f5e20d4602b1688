import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Counter } from "prom-client";
import { MillraceError } from "../../services/shared/errors.js";
import { type Telemetry, createTelemetry } from "../../services/shared/telemetry.js";

describe("createTelemetry", () => {
  let telemetry: Telemetry;
  let port: number;
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  beforeEach(async () => {
    telemetry = createTelemetry("sink");
    port = await telemetry.listen("127.0.0.1", 0);
  });
  afterEach(() => telemetry.close());

  it("serves the process's metrics and the service's own, each with the service's name", async () => {
    const options = { name: "millrace_sink_rows_total", help: "Rows.", registers: [telemetry.metrics] };
    new Counter(options).inc(3);
    const response = await get("/metrics");
    assert.equal(response.status, 200);
    assert.match(response.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
    const lines = (await response.text()).split("\n");
    assert.ok(lines.includes('millrace_sink_rows_total{service="sink"} 3'));
    assert.ok(lines.some((line) => line.startsWith('process_resident_memory_bytes{service="sink"} ')));
    for (const line of lines.filter((text) => text !== "" && !text.startsWith("#")))
      assert.match(line, /service="sink"/);
  });

  it("is live from the beginning, and not ready until the start and every condition say so", async () => {
    const live = await get("/healthz");
    assert.deepEqual([live.status, await live.json()], [200, { service: "sink", live: true }]);

    const readiness = async () => {
      const response = await get("/readyz");
      assert.equal(response.headers.get("content-type"), "application/json");
      assert.equal(response.headers.get("cache-control"), "no-store");
      return [response.status, await response.json()];
    };
    const not = (reasons: object) => [503, { service: "sink", ready: false, reasons }];
    assert.deepEqual(await readiness(), not({ start: "starting" }));
    telemetry.setReadiness("influxdb", "INFLUX_UNAVAILABLE: away");
    telemetry.setReadiness("start", null);
    assert.deepEqual(await readiness(), not({ influxdb: "INFLUX_UNAVAILABLE: away" }));
    telemetry.setReadiness("influxdb", null);
    assert.deepEqual(await readiness(), [200, { service: "sink", ready: true, reasons: {} }]);
    telemetry.setReadiness("stop", "stopping");
    assert.deepEqual(await readiness(), not({ stop: "stopping" }));
  });

  it("serves pages of the service's own, at their exact paths, and names all where there is none", async () => {
    telemetry.serve("/metrics/application", (_, response) => response.end("own"));
    assert.equal(await (await get("/metrics/application?now=1")).text(), "own");
    const missing = await get("/metrics/other");
    assert.equal(missing.status, 404);
    assert.equal(await missing.text(), "Known: /metrics /healthz /readyz /metrics/application\n");
  });

  it("answers 500 where a metric cannot be read, and goes on", async () => {
    new Counter({
      name: "broken_total",
      help: "Broken.",
      registers: [telemetry.metrics],
      collect: () => {
        throw new Error("no such thing");
      },
    });
    const response = await get("/metrics");
    assert.deepEqual([response.status, await response.text()], [500, "Error: no such thing"]);
    assert.equal((await get("/healthz")).status, 200);
  });

  it("closes although connections are open that ask nothing", async () => {
    const silent = connect(port, "127.0.0.1");
    await once(silent, "connect");
    const closed = once(silent, "close");
    await (await get("/healthz")).text();
    await telemetry.close();
    await closed;
    await assert.rejects(get("/healthz"));
  });

  it("says what is wrong with its address", async () => {
    const rejectsWith = (code: string, words: RegExp) => (error: unknown) =>
      error instanceof MillraceError && error.code === code && words.test(error.message);
    const other = createTelemetry("poller");
    await assert.rejects(
      other.listen("127.0.0.1", port),
      rejectsWith("PORT_IN_USE", new RegExp(`^Port ${port}, for the telemetry of the poller, is in use\\.$`)),
    );
    await assert.rejects(
      // Kept for documentation: no machine has it (RFC 5737).
      createTelemetry("poller").listen("192.0.2.1", 0),
      rejectsWith("CONFIG_INVALID", /telemetry\.host 192\.0\.2\.1/),
    );
  });
});
