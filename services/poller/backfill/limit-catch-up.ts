import { type BackfillRequest, gapRequestId, requestMessage } from "../../shared/backfill-request.js";
import type { OutgoingMessage } from "../../shared/kafka.js";
import { type PipelineState, watermarkMessage } from "../watermark.js";

/** Where a job goes on after a downtime, and what says so in Kafka, in one transaction. */
export interface SkipAhead {
  /** Milliseconds since the epoch. */
  readonly watermark: number;
  readonly request: BackfillRequest;
  readonly messages: readonly OutgoingMessage[];
}

/**
 * After a downtime longer than `limitMs` the job goes on with the last `limitMs` of it, so that live data do not wait for the
 * rest: that is requested as a backfill. Null where the downtime was shorter. Samples of the rest that are in metrics.raw
 * already are found there by the backfill, and newer ones by the job.
 */
export function limitCatchUp(
  { source, job, watermark }: Omit<PipelineState, "updatedAt">,
  at: { now: number; limitMs: number },
  topics: {
    readonly state: { topic: string; schemaId: number };
    readonly backfill: { topic: string; schemaId: number };
  },
): SkipAhead | null {
  const { now, limitMs } = at;
  const resumeAt = now - limitMs;
  if (watermark >= resumeAt) return null;
  const gap = { source, job, selector: "", from: watermark, to: resumeAt, reason: "restart" } as const;
  const request: BackfillRequest = {
    ...gap,
    id: gapRequestId(gap),
    priority: "high",
    requestedBy: `poller, job ${job}`,
    requestedAt: now,
  };
  return {
    watermark: resumeAt,
    request,
    messages: [
      requestMessage(topics.backfill, request, { cancelled: false, timestamp: now }),
      watermarkMessage(topics.state.topic, topics.state.schemaId, {
        source,
        job,
        watermark: resumeAt,
        updatedAt: now,
      }),
    ],
  };
}
