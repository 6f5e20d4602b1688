import type {
  BackfillProgress,
  BackfillRequest,
  BackfillStatus,
} from "../../../services/shared/backfill-request.js";

/** A request of job a for (0, 1000], but for what is said. */
export function requestOf(over: Partial<BackfillRequest> = {}): BackfillRequest {
  return {
    id: "r",
    source: "prometheus",
    job: "a",
    selector: "",
    from: 0,
    to: 1_000,
    priority: "normal",
    reason: "operator",
    requestedBy: "test",
    requestedAt: 5,
    ...over,
  };
}

export function progressOf(over: Partial<BackfillProgress> = {}): BackfillProgress {
  return {
    state: "healing",
    healedUntil: 0,
    found: 0,
    sent: 0,
    downMs: 0,
    sourceGaps: [],
    code: "",
    message: "",
    updatedAt: 6,
    ...over,
  };
}

export function statusOf(
  request: Partial<BackfillRequest> = {},
  progress: Partial<BackfillProgress> | null = null,
): BackfillStatus {
  return {
    request: requestOf(request),
    cancelled: false,
    progress: progress === null ? null : progressOf(progress),
  };
}
