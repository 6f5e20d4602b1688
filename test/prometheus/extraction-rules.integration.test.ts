import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { Registry } from "prom-client";
import { createPollerMetrics } from "../../services/poller/poller-metrics.js";
import { findProgram } from "../../services/stack/find-tool.js";

const rules = "config/prometheus/extraction.rules.yml";

/** Of the Prometheus that the tests' servers are. */
function promtool(...args: string[]) {
  const program =
    findProgram("promtool", process.env) ?? join(".millrace", "servers", "prometheus", "promtool");
  return promisify(execFile)(program, args);
}

describe("the alert rules of the extraction", () => {
  it("are what a real Prometheus takes, the file that names them too", async () => {
    const { stdout } = await promtool("check", "config", "config/prometheus/prometheus.yml");
    assert.match(stdout, /SUCCESS: 6 rules found/);
  });

  it("warn when they should, and are silent when not", async () => {
    await promtool("test", "rules", "test/prometheus/extraction.rules.test.yml");
  });

  it("name only metrics that the poller has", () => {
    const registry = new Registry();
    createPollerMetrics(registry);
    const known = registry.getMetricsAsArray().map(({ name }) => name);
    const named = readFileSync(rules, "utf8").matchAll(/millrace_[a-z_]+/g);
    const unknown = [...named]
      .map(([name]) => name.replace(/_(bucket|count|sum)$/, ""))
      .filter((name) => !known.includes(name));
    assert.deepEqual(unknown, []);
  });
});
