import { createCommittedSamples } from "../../../services/poller/remote-write/committed-samples.js";
import { decodeRequest2 } from "../../../services/poller/remote-write/decode-request-2.js";
import { decodeWriteRequest } from "../../../services/poller/remote-write/decode-write-request.js";
import type { PushedSamples } from "../../../services/poller/remote-write/decoded-request.js";
import { decompress } from "../../../services/poller/remote-write/decompress.js";
import { createSeriesMemory } from "../../../services/poller/remote-write/known-series.js";
import { createPushedTypes } from "../../../services/poller/remote-write/metadata-types.js";
import { framesOf } from "../../../services/poller/remote-write/request-frames.js";
import { createIdentify } from "../../../services/poller/remote-write/series-identity.js";
import { deliveries } from "../../../services/poller/send-window.js";
import { parseConfig } from "../../../services/shared/config.js";
import { type SentSeries, compressed, writeRequest1, writeRequest2 } from "./write-messages.js";

/**
 * How fast pushed samples are, on one core, from the body of a request to messages for Kafka: `npm run build`, then
 * `node dist/test/poller/remote-write/receive.bench.js`. Requests are like Prometheus's: 2,000 samples of as many series of
 * some nine labels, here of 20,000 series in turn.
 */
const SERIES = 20_000;
const SAMPLES_A_REQUEST = 2_000;
const ROUNDS = 30;

const config = parseConfig("{}", "bench.yaml");
const limits = { seriesMax: 100_000, samplesMax: 100_000, labelsMax: 64 };
const begin = 1_760_000_000_000;

function seriesOf(request: number, round: number): SentSeries[] {
  return Array.from({ length: SAMPLES_A_REQUEST }, (_, i) => {
    const index = request * SAMPLES_A_REQUEST + i;
    return {
      labels: [
        ["__name__", `http_server_request_duration_seconds_bucket_${index % 40}`],
        ["cluster", "production-europe"],
        ["instance", `10.0.${index % 20}.17:8080`],
        ["job", "checkout-service"],
        ["le", `${index % 12}.5`],
        ["method", "POST"],
        ["namespace", "checkout"],
        ["pod", `checkout-7d9c5b6f4-${index}`],
        ["route", "/api/v1/orders/{id}"],
      ],
      samples: [{ timestamp: begin + round * 15_000, value: index * 1.5 + round }],
    };
  });
}

const protocols = {
  "1.0": { encode: writeRequest1, decode: decodeWriteRequest },
  "2.0": { encode: writeRequest2, decode: decodeRequest2 },
} as const;

for (const [protocol, { encode, decode }] of Object.entries(protocols)) {
  const from = { known: createSeriesMemory(), identify: createIdentify(config) };
  const to = { committed: createCommittedSamples(2_000_000), types: createPushedTypes(), ingestedAt: begin };
  const target = { topic: "metrics.raw", partitions: 6, schemaId: 1, watermark: 0 };
  let bytes = 0;
  let messages = 0;
  const ms = { decode: 0, frames: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const bodies = Array.from({ length: SERIES / SAMPLES_A_REQUEST }, (_, request) =>
      compressed(encode(seriesOf(request, round))),
    );
    const start = performance.now();
    const requests: PushedSamples[] = bodies.map(
      (body) => decode(decompress(body, 32_000_000), from, limits).samples,
    );
    const decoded = performance.now();
    const { frames } = framesOf(requests, to);
    messages += [...deliveries(frames, target, Infinity)].flatMap((delivery) => delivery.messages).length;
    // The first round meets every series for the first time.
    if (round === 0) continue;
    ms.decode += decoded - start;
    ms.frames += performance.now() - decoded;
    for (const body of bodies) bytes += body.length;
  }
  const samples = SERIES * (ROUNDS - 1);
  const rate = (spent: number) => `${Math.round(samples / (spent / 1_000)).toLocaleString("en")} samples/s`;
  process.stdout.write(
    `remote write ${protocol} | decode ${rate(ms.decode)} | to messages ${rate(ms.frames)} | ` +
      `both ${rate(ms.decode + ms.frames)} | ${(bytes / samples).toFixed(1)} bytes/sample sent | ${messages} messages\n`,
  );
}
