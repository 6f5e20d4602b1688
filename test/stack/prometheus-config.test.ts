import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { parseConfig } from "../../services/shared/config.js";
import { prometheusConfig } from "../../services/stack/prometheus-config.js";

interface PrometheusFile {
  global: { scrape_interval: string };
  scrape_configs: { job_name: string; metrics_path?: string; static_configs: { targets: string[] }[] }[];
}

function rendered(yaml: string): {
  interval: string;
  targets: Record<string, string[]>;
  paths: Record<string, string>;
} {
  const { global, scrape_configs } = parse(
    prometheusConfig(parseConfig(yaml, "test.yaml")),
  ) as PrometheusFile;
  return {
    interval: global.scrape_interval,
    targets: Object.fromEntries(
      scrape_configs.map((job) => [job.job_name, job.static_configs.flatMap(({ targets }) => targets)]),
    ),
    paths: Object.fromEntries(scrape_configs.map((job) => [job.job_name, job.metrics_path ?? "/metrics"])),
  };
}

describe("prometheusConfig", () => {
  it("has a job each for Prometheus, the node exporter, Millrace and the simulated services", () => {
    const { interval, targets, paths } = rendered("");
    assert.equal(interval, "5000ms");
    assert.deepEqual(targets, {
      prometheus: ["127.0.0.1:9090"],
      node: ["127.0.0.1:9100"],
      millrace: ["127.0.0.1:9301", "127.0.0.1:9302", "127.0.0.1:9303", "127.0.0.1:9304"],
      simulator: ["127.0.0.1:9304"],
    });
    assert.equal(paths["simulator"], "/metrics/application");
    assert.equal(paths["millrace"], "/metrics");
  });

  it("has the rule files that lie beside the repository's", () => {
    const { rule_files } = parse(prometheusConfig(parseConfig("", "test.yaml"))) as { rule_files: string[] };
    assert.equal(rule_files.length, 1);
    for (const file of rule_files) assert.ok(existsSync(file), file);
  });

  it("follows the configured interval, ports and hosts", () => {
    const { interval, targets } = rendered(`
extract: { prometheus: { url: "http://127.0.0.1:19090" } }
telemetry: { host: "::1", ports: { poller: 1, processor: 2, sink: 3, simulator: 4 } }
stack: { scrape_interval: 1500ms, node_exporter_port: 5 }
`);
    assert.equal(interval, "1500ms");
    assert.deepEqual(targets, {
      prometheus: ["127.0.0.1:19090"],
      node: ["127.0.0.1:5"],
      millrace: ["[::1]:1", "[::1]:2", "[::1]:3", "[::1]:4"],
      simulator: ["[::1]:4"],
    });
  });

  it("reaches services that listen on every address through the loopback", () => {
    assert.deepEqual(rendered("telemetry: { host: 0.0.0.0 }").targets["simulator"], ["127.0.0.1:9304"]);
  });
});
