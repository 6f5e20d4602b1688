import { type IncomingMessage, request } from "node:http";
import { Registry } from "prom-client";
import { type CommitQueue, createCommitQueue } from "../../../services/poller/remote-write/commit-queue.js";
import { createPushedTypes } from "../../../services/poller/remote-write/metadata-types.js";
import { createReceiveRequest } from "../../../services/poller/remote-write/receive-request.js";
import { createReceiverMetrics } from "../../../services/poller/remote-write/receiver-metrics.js";
import { createIdentify } from "../../../services/poller/remote-write/series-identity.js";
import { type WriteServer, openWriteServer } from "../../../services/poller/remote-write/write-server.js";
import { type MetricSample, parseMetricsText } from "../../../services/cli/metrics-text.js";
import { parseConfig } from "../../../services/shared/config.js";
import { createLogger } from "../../../services/shared/telemetry.js";

/** A receiver whose Kafka is a list. */
export interface TestReceiver {
  readonly server: WriteServer;
  readonly queue: CommitQueue;
  /** `metric@timestamp value` of each sample that was written, in order. */
  readonly writtenSamples: string[];
  /** From now on Kafka takes what there is, or nothing: since it is away, or slow. */
  readonly setKafka: (to: "there" | "away" | "slow") => void;
  readonly metrics: () => Promise<MetricSample[]>;
  readonly close: () => Promise<void>;
}

export async function openTestReceiver(
  settings: Record<string, unknown> = {},
  requestTimeoutMs?: number,
): Promise<TestReceiver> {
  const config = parseConfig(
    JSON.stringify({ extract: { remote_write: { enabled: true, port: 0, ...settings } } }),
    "test.yaml",
  );
  const { remote_write } = config.extract;
  const queue = createCommitQueue({
    maxSamples: remote_write.queue_samples_max,
    answerWithinMs: remote_write.answer_timeout,
  });
  const registry = new Registry();
  const metrics = createReceiverMetrics(registry, { queued: queue.size, remembered: () => 0 });
  const kafka: { is: "there" | "away" | "slow" } = { is: "there" };
  const isThere = () => kafka.is === "there";
  let goOn: () => void = () => undefined;
  const writtenSamples: string[] = [];
  const committing = (async () => {
    for (;;) {
      while (!isThere()) await new Promise<void>((resolve) => (goOn = resolve));
      const requests = await queue.take(1_000);
      if (requests.length === 0) return;
      if (!isThere()) {
        queue.giveBack(requests);
        continue;
      }
      for (const { samples, settle } of requests) {
        samples.series.forEach(({ metric }, i) =>
          writtenSamples.push(
            `${metric}@${samples.timestamps[i]} ${samples.stale[i] ? "stale" : samples.values[i]}`,
          ),
        );
        settle("written");
      }
    }
  })();
  const receive = createReceiveRequest({
    settings: remote_write,
    identify: createIdentify(config),
    types: createPushedTypes(),
    queue,
    metrics,
    isOpen: () => kafka.is !== "away",
  });
  const setKafka = (to: typeof kafka.is) => {
    kafka.is = to;
    goOn();
  };
  const server = await openWriteServer({
    settings: remote_write,
    receive,
    metrics,
    logger: createLogger("test", "silent"),
    ...(requestTimeoutMs === undefined ? {} : { requestTimeoutMs }),
  });
  return {
    server,
    queue,
    writtenSamples,
    setKafka,
    metrics: async () => parseMetricsText(await registry.metrics()),
    close: async () => {
      setKafka("there");
      queue.close();
      await committing;
      await server.close();
    },
  };
}

export interface Sent {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

export interface SendOptions {
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly path?: string;
  readonly method?: string;
}

const usualHeaders = {
  "content-encoding": "snappy",
  "content-type": "application/x-protobuf",
  "x-prometheus-remote-write-version": "0.1.0",
  "user-agent": "test/1.0",
};
export const type2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request";

/** Sends a body as a sender of remote write would; headers that are given replace the usual ones, undefined leaves one out. */
export function sendBody(port: number, body: Buffer, options: SendOptions = {}): Promise<Sent> {
  const given: Record<string, string | undefined> = { ...usualHeaders, ...options.headers };
  const headers = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: "127.0.0.1",
        port,
        path: options.path ?? "/api/v1/write",
        method: options.method ?? "POST",
        headers,
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            text: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
