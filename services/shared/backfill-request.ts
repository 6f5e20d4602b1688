import { createHash, randomBytes } from "node:crypto";
import avro from "avsc";
import { MillraceError } from "./errors.js";
import { type WriterSchemas, schemaIdOf, wireHeader } from "./frame-codec.js";
import type { OutgoingMessage } from "./kafka.js";
import { schemaText } from "./topics.js";

/** From the least to the most urgent. */
export const backfillPriorities = ["low", "normal", "high"] as const;
export type BackfillPriority = (typeof backfillPriorities)[number];

export type BackfillReason = "restart" | "processor_gap" | "sink_gap" | "operator";

/** What range of what selector is to be fetched from its source. Times are milliseconds since the epoch: (from, to]. */
export interface BackfillRequest {
  readonly id: string;
  readonly source: string;
  readonly job: string;
  /** Which of the job's series, an instant vector selector; empty: all of them. */
  readonly selector: string;
  readonly from: number;
  readonly to: number;
  readonly priority: BackfillPriority;
  readonly reason: BackfillReason;
  readonly requestedBy: string;
  readonly requestedAt: number;
}

/** A target was down (`up == 0`): the source has nothing of (from, to], and never will. */
export interface SourceGap {
  /** The target's labels, canonical. */
  readonly target: string;
  readonly from: number;
  readonly to: number;
}

export interface BackfillProgress {
  readonly state: "healing" | "healed" | "unhealable" | "failed" | "cancelled";
  /** Everything of the range up to here is dealt with, milliseconds since the epoch. */
  readonly healedUntil: number;
  /** Samples that the source has up to there. */
  readonly found: number;
  /** Of these, how many were not in metrics.raw before. */
  readonly sent: number;
  /** Milliseconds that targets were down, added up over all of them. */
  readonly downMs: number;
  /** The first MAX_SOURCE_GAPS of them. */
  readonly sourceGaps: readonly SourceGap[];
  /** An error code, and what happened, where it is not or not wholly healed; empty otherwise. */
  readonly code: string;
  readonly message: string;
  readonly updatedAt: number;
}

/** A request, and what has come of it. */
export interface BackfillStatus {
  readonly request: BackfillRequest;
  /** The requester does not want it any more. */
  readonly cancelled: boolean;
  /** Null where the poller has not taken it up yet. */
  readonly progress: BackfillProgress | null;
}

export const MAX_SOURCE_GAPS = 100;

/** One record of backfill.requests. */
interface BackfillRecord extends BackfillRequest {
  readonly cancelled: boolean;
  readonly progress: BackfillProgress | null;
}

const recordType = avro.Type.forSchema(JSON.parse(schemaText("backfill.requests.avsc")) as avro.Schema);

/** Of a request that a person makes: each is one of its own. */
export function newRequestId(): string {
  return randomBytes(4).toString("hex");
}

/** Of a gap that a program finds: however often it is found, it is one request. */
export function gapRequestId(
  gap: Pick<BackfillRequest, "source" | "job" | "selector" | "from" | "to" | "reason">,
): string {
  const { source, job, selector, from, to, reason } = gap;
  const text = JSON.stringify([source, job, selector, from, to, reason]);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** What a requester writes: the request, or that it is not wanted any more. */
export function requestMessage(
  to: { topic: string; schemaId: number },
  request: BackfillRequest,
  at: { cancelled: boolean; timestamp: number },
): OutgoingMessage {
  return recordMessage(to, request.id, at.timestamp, {
    ...request,
    cancelled: at.cancelled,
    progress: null,
  });
}

/**
 * What the poller writes: how far the request is. Under a key of its own, so that neither a requester nor the poller ever
 * overwrites what the other said.
 */
export function progressMessage(
  to: { topic: string; schemaId: number },
  request: BackfillRequest,
  progress: BackfillProgress,
): OutgoingMessage {
  return recordMessage(to, `${request.id}/progress`, progress.updatedAt, {
    ...request,
    cancelled: false,
    progress,
  });
}

function recordMessage(
  { topic, schemaId }: { topic: string; schemaId: number },
  key: string,
  timestamp: number,
  record: BackfillRecord,
): OutgoingMessage {
  const value = Buffer.concat([wireHeader(schemaId), recordType.toBuffer(record)]);
  return { topic, partition: 0, key, value, timestamp };
}

export type ReadRecord = (value: Buffer) => Promise<BackfillRecord>;

/** Rejects with MESSAGE_UNDECODABLE, and as the registry does. */
export function createRecordReader(schemas: WriterSchemas): ReadRecord {
  const resolvers = new Map<number, ReturnType<typeof recordType.createResolver>>();
  return async (value) => {
    const id = schemaIdOf(value);
    const writer = resolvers.has(id) ? null : await schemas.writerSchema(id);
    try {
      if (writer !== null) resolvers.set(id, recordType.createResolver(writer));
      return recordType.fromBuffer(value.subarray(wireHeader(0).length), resolvers.get(id)) as BackfillRecord;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new MillraceError("MESSAGE_UNDECODABLE", `The message is no request for a backfill: ${reason}.`, {
        cause: error,
      });
    }
  };
}

/** All requests, as the records of the topic tell of them. */
export interface BackfillTable {
  readonly apply: (record: BackfillRecord) => void;
  /** Progress is never taken back: an own record that is read again later is older than what is known. */
  readonly progressed: (request: BackfillRequest, progress: BackfillProgress) => void;
  readonly get: (id: string) => BackfillStatus | undefined;
  readonly all: () => BackfillStatus[];
}

export function createBackfillTable(): BackfillTable {
  const table = new Map<string, BackfillStatus>();
  const progressed = (request: BackfillRequest, progress: BackfillProgress) => {
    const known = table.get(request.id);
    const before = known?.progress ?? null;
    if (before !== null && (before.state !== "healing" || before.healedUntil > progress.healedUntil)) return;
    table.set(request.id, { request, cancelled: known?.cancelled ?? false, progress });
  };
  return {
    progressed,
    apply: ({ cancelled, progress, ...request }) => {
      if (progress !== null) progressed(request, progress);
      else table.set(request.id, { request, cancelled, progress: table.get(request.id)?.progress ?? null });
    },
    get: (id) => table.get(id),
    all: () => [...table.values()],
  };
}

export type BackfillState = BackfillProgress["state"] | "requested";

export function stateOf({ progress, cancelled }: BackfillStatus): BackfillState {
  return progress?.state ?? (cancelled ? "cancelled" : "requested");
}

/** Whether nothing more will come of it. */
export function isFinal({ progress }: BackfillStatus): boolean {
  return progress !== null && progress.state !== "healing";
}
