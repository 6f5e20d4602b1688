import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { waitFor } from "../flow/wait-for.js";
import { testConfigFile } from "../stack/servers-for-tests.js";
import { runMillrace } from "./run-millrace.js";

interface Printed {
  data: { labels: Record<string, string>; value?: number; timestamps?: number[]; values?: number[] }[] | null;
  metadata: { query: string; series: number; samples: number };
  source: string;
  success: boolean;
  error: { code: string } | null;
}

describe("millrace extract, on a real Prometheus", () => {
  let file: string;
  before(async () => {
    ({ file } = await testConfigFile());
    await waitFor(
      "Prometheus has scraped itself",
      async () => (await json("instant", 'up{job="prometheus"}')).metadata.series,
      (series) => series > 0,
    );
  });

  const extract = (...args: string[]) => runMillrace(["extract", ...args, "--config", file]);
  async function json(...args: string[]): Promise<Printed> {
    return JSON.parse((await extract(...args, "--json")).stdout) as Printed;
  }

  it("prints the values of an expression at one time", async () => {
    const { data, source, success, error } = await json("instant", 'up{job="prometheus"} * 3');
    assert.deepEqual([source, success, error, data?.[0].value], ["prometheus", true, null, 3]);
    const { stdout, exitCode } = await extract("instant", "vector(7)");
    assert.equal(exitCode, 0);
    assert.match(stdout, /^SERIES +VALUE\n.*7\n$/);
  });

  it("prints a range that is longer than Prometheus gives at once", async () => {
    const range = ["--from", "2025-10-09T00:00:00Z", "--to", "2025-10-09T04:00:00Z", "--step", "1s"];
    const { data, metadata } = await json("range", "time()", ...range);
    assert.equal(metadata.samples, 14_401);
    const [{ timestamps, values }] = data!;
    assert.ok(
      timestamps!.every((ms, i) => ms === Date.UTC(2025, 9, 9) + 1_000 * i && values![i] === ms / 1_000),
    );
  });

  it("puts parameters into a query of the configuration", async () => {
    const args = ["--template", "request_rate", "--param", "metric=prometheus_http_requests_total"];
    const { metadata } = await json("instant", ...args, "--param", "window=1m");
    assert.equal(metadata.query, "sum by (job) (rate(prometheus_http_requests_total[1m]))");
    const wrong = await extract(
      "instant",
      "--template",
      "request_rate",
      "--param",
      "window=1m]) or vector(1",
    );
    assert.equal(wrong.exitCode, 2);
    assert.match(wrong.stderr, /^USAGE_INVALID: .*cannot stand where `window` is/);
  });

  it("describes a metric, and tells whether Prometheus answers", async () => {
    const { stdout } = await extract("metadata", "prometheus_http_requests_total");
    assert.match(stdout, /^METRIC +TYPE .*\nprometheus_http_requests_total +counter /);
    assert.match(stdout, /^handler +\d+$/m);
    assert.match((await extract("check")).stdout, /^prometheus: Prometheus \d\S* answers queries, in /);
  });

  it("fails with Prometheus's words, as JSON, too, and knows its sources", async () => {
    const failed = await extract("instant", "no_such_function(up)");
    assert.equal(failed.exitCode, 78);
    assert.match(failed.stderr, /^PROM_QUERY_REFUSED: .*unknown function/);
    const asJson = await json("instant", "no_such_function(up)");
    assert.deepEqual([asJson.success, asJson.data, asJson.error?.code], [false, null, "PROM_QUERY_REFUSED"]);
    const unknown = await extract("check", "--source", "promethues");
    assert.match(unknown.stderr, /There is no source promethues.*did you mean `prometheus`/);
  });
});
