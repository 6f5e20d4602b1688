import type { Config } from "../../shared/config-schema.js";
import { type Answer, partlyWritten, tooMuch, unavailable, written } from "./answer.js";
import type { CommitQueue } from "./commit-queue.js";
import { type DecodedRequest, shortfall } from "./decoded-request.js";
import { decodeRequest2 } from "./decode-request-2.js";
import { decodeWriteRequest } from "./decode-write-request.js";
import { decompress } from "./decompress.js";
import { createSeriesMemory } from "./known-series.js";
import type { Protocol } from "./message-type.js";
import type { PushedTypes } from "./metadata-types.js";
import type { ReceiverMetrics } from "./receiver-metrics.js";
import type { Identify } from "./series-identity.js";

/** Answers a body once all of it that can be kept is in Kafka. Rejects with RefusedRequest. */
export type ReceiveRequest = (protocol: Protocol, body: Buffer) => Promise<Answer>;

export function createReceiveRequest(options: {
  settings: Config["extract"]["remote_write"];
  identify: Identify;
  types: PushedTypes;
  queue: CommitQueue;
  metrics: ReceiverMetrics;
  /** Whether transactions are possible now, as far as is known. */
  isOpen: () => boolean;
}): ReceiveRequest {
  const { settings, identify, types, queue, metrics, isOpen } = options;
  const from = { known: createSeriesMemory(), identify };
  const limits = {
    seriesMax: settings.series_max,
    samplesMax: settings.samples_max,
    labelsMax: settings.labels_max,
  };
  const decode = { "1.0": decodeWriteRequest, "2.0": decodeRequest2 } as const;

  return async (protocol, body) => {
    const request = decode[protocol](decompress(body, settings.decompressed_bytes_max), from, limits);
    types.learn(request.families);
    const samples = request.samples.series.length;
    const outcome = samples === 0 ? "written" : await queue.offer(request.samples);
    switch (outcome) {
      case "written":
        count(request, metrics);
        return answerTo(protocol, request);
      case "full":
        return isOpen()
          ? tooMuch(`${queue.size()} samples wait for Kafka already.`)
          : unavailable("Kafka cannot be written to now.");
      case "overdue":
        return unavailable("The samples did not come to be in Kafka in time.");
      case "stopped":
        return unavailable("The receiver is stopping.");
    }
  };
}

/** Nothing of what a sender of 2.0 sent may be missing in a success; to 1.0 histograms and exemplars are unknown. */
function answerTo(protocol: Protocol, request: DecodedRequest): Answer {
  const samples = request.samples.series.length;
  const missing = shortfall(request);
  return missing === null || (protocol === "1.0" && request.refused.size === 0)
    ? written(samples)
    : partlyWritten(samples, missing);
}

function count(request: DecodedRequest, metrics: ReceiverMetrics): void {
  for (const [reason, samples] of request.refused) {
    metrics.refusedSeries.inc({ reason });
    metrics.refusedSamples.inc({ reason }, samples);
  }
  metrics.dropped.inc({ kind: "histogram" }, request.histograms);
  metrics.dropped.inc({ kind: "exemplar" }, request.exemplars);
}
