import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Scalar, isScalar, isSeq, parseDocument, visit } from "yaml";
import type { Config } from "../shared/config-schema.js";

/**
 * The local Prometheus's configuration, YAML: config/prometheus/prometheus.yml with the configured interval, with the rule files
 * that lie beside it, and with the configured addresses in place of docker-compose.yml's service names.
 */
export function prometheusConfig(config: Config): string {
  const folder = new URL("../../../config/prometheus/", import.meta.url);
  const document = parseDocument(readFileSync(new URL("prometheus.yml", folder), "utf8"));
  document.setIn(["global", "scrape_interval"], `${config.stack.scrape_interval}ms`);
  const addresses = localAddresses(config);
  const addressOf = (target: string) => {
    const address = addresses.get(target.split(":")[0]);
    if (address === undefined)
      throw new Error(`${target}, which prometheus.yml scrapes, is no service of the stack.`);
    return address;
  };
  visit(document, {
    Pair(_, { key, value }) {
      if (!isScalar(key) || !isSeq<Scalar<string>>(value)) return;
      if (key.value === "targets") for (const target of value.items) target.value = addressOf(target.value);
      if (key.value !== "rule_files") return;
      for (const file of value.items) file.value = fileURLToPath(new URL(file.value, folder));
    },
  });
  return document.toString();
}

function localAddresses({ extract, telemetry, stack }: Config): Map<string, string> {
  // A wildcard is where a server listens, not where it is reached.
  const host = ["0.0.0.0", "::"].includes(telemetry.host) ? "127.0.0.1" : telemetry.host;
  const reachable = host.includes(":") ? `[${host}]` : host;
  return new Map([
    ["prometheus", new URL(extract.prometheus.url).host],
    ["node-exporter", `127.0.0.1:${stack.node_exporter_port}`],
    ...Object.entries(telemetry.ports).map(([service, port]) => [service, `${reachable}:${port}`] as const),
  ]);
}
