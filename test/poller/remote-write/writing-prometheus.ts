import { type MetricSample, parseMetricsText } from "../../../services/cli/metrics-text.js";
import { startPrometheus } from "../../oracle/prometheus-process.js";
import { freePorts } from "../../stack/servers-for-tests.js";

/** Where a Prometheus writes to, and how. */
export interface WriteTarget {
  readonly name: string;
  readonly port: number;
  /** Null for one that knows 1.0 only, and has no such key. */
  readonly message: "prometheus.WriteRequest" | "io.prometheus.write.v2.Request" | null;
  readonly tokenFile: string;
}

/** A real Prometheus that scrapes itself and a node exporter, and writes what it has to receivers. */
export interface WritingPrometheus {
  readonly url: string;
  /** Its own metrics. */
  readonly metrics: () => Promise<MetricSample[]>;
  readonly close: () => Promise<void>;
}

/** Its port is told before, since receivers' tests must know it. */
export async function startWritingPrometheus(
  program: string,
  port: number,
  nodeExporter: string,
  targets: readonly WriteTarget[],
): Promise<WritingPrometheus> {
  // JSON is YAML.
  const config = JSON.stringify({
    global: { scrape_interval: "500ms", scrape_timeout: "500ms" },
    scrape_configs: [
      { job_name: "prometheus", static_configs: [{ targets: [`127.0.0.1:${port}`] }] },
      { job_name: "node", static_configs: [{ targets: [nodeExporter] }] },
    ],
    remote_write: targets.map(({ name, port: at, message, tokenFile }) => ({
      name,
      url: `http://127.0.0.1:${at}/api/v1/write`,
      ...(message === null ? {} : { protobuf_message: message }),
      authorization: { credentials_file: tokenFile },
      remote_timeout: "5s",
      // Several requests at once, of some samples each, and tried again soon.
      queue_config: {
        min_shards: 3,
        max_shards: 3,
        max_samples_per_send: 300,
        batch_send_deadline: "100ms",
        min_backoff: "30ms",
        max_backoff: "200ms",
      },
      metadata_config: { send: true, send_interval: "1s" },
    })),
  });
  const { url, close } = await startPrometheus(program, {
    port,
    config,
    // By 2.0 it tells types only with this.
    args: targets.some(({ message }) => message?.includes("v2") === true)
      ? ["--enable-feature=metadata-wal-records"]
      : [],
  });
  return {
    url,
    metrics: async () => parseMetricsText(await (await fetch(`${url}/metrics`)).text()),
    close,
  };
}

export async function portForPrometheus(): Promise<number> {
  const [port] = await freePorts(1);
  return port;
}
