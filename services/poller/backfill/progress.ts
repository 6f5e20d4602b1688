import {
  type BackfillProgress,
  type BackfillRequest,
  type BackfillStatus,
  type SourceGap,
  isFinal,
} from "../../shared/backfill-request.js";
import { selectorProblem } from "../../shared/config-selector.js";
import type { ErrorCode } from "../../shared/errors.js";
import type { Window } from "../window.js";
import { knownSourceGap } from "./next-work.js";
import { gapsWithin, withGaps } from "./source-gaps.js";

/** A request that nothing was done for yet. */
export function startOf(request: BackfillRequest, updatedAt: number): BackfillProgress {
  return {
    state: "healing",
    healedUntil: request.from,
    found: 0,
    sent: 0,
    downMs: 0,
    sourceGaps: [],
    code: "",
    message: "",
    updatedAt,
  };
}

/** What came of one chunk. */
export interface ChunkOutcome {
  readonly window: Window;
  /** Samples that the source has. */
  readonly found: number;
  /** Of these, how many were not in metrics.raw before. */
  readonly sent: number;
  /** Those that touch the window, with others. */
  readonly gaps: readonly SourceGap[];
}

/** A request's progress after a chunk of its range; its outcome, where that was the last. */
export function afterChunk(
  { request, progress }: BackfillStatus,
  { window, found, sent, gaps }: ChunkOutcome,
  updatedAt: number,
): BackfillProgress {
  const before = progress ?? startOf(request, updatedAt);
  const after = {
    ...before,
    ...withGaps(before, gapsWithin(gaps, window)),
    healedUntil: window.to,
    found: before.found + found,
    sent: before.sent + sent,
    updatedAt,
  };
  return window.to < request.to ? after : outcome(after);
}

function outcome(progress: BackfillProgress): BackfillProgress {
  if (progress.code !== "") return { ...progress, state: "unhealable" };
  if (progress.found > 0) return { ...progress, state: "healed" };
  return progress.downMs > 0
    ? ended(progress, "unhealable", "BACKFILL_TARGET_DOWN", "The targets were down (up == 0).")
    : ended(progress, "unhealable", "BACKFILL_NO_SAMPLES", "Prometheus has no samples of this range.");
}

function ended(
  progress: BackfillProgress,
  state: BackfillProgress["state"],
  code: ErrorCode | "",
  message: string,
): BackfillProgress {
  return { ...progress, state, code, message };
}

/** A request of which what is older than `oldest` is left out: nothing of it where all is. */
export function withoutTooOld(
  { request, progress }: BackfillStatus,
  oldest: number,
  updatedAt: number,
): BackfillProgress {
  const before = progress ?? startOf(request, updatedAt);
  const healedUntil = Math.min(oldest, request.to);
  const message = `What is older than ${new Date(oldest).toISOString()} might be deleted by Kafka before it is processed, and was left out.`;
  const state = healedUntil < request.to ? "healing" : "unhealable";
  return ended({ ...before, healedUntil, updatedAt }, state, "BACKFILL_TOO_OLD", message);
}

/** A request that serving failed for good. */
export function afterFailure(
  { request, progress }: BackfillStatus,
  { code, message }: { code: ErrorCode; message: string },
  updatedAt: number,
): BackfillProgress {
  return ended({ ...(progress ?? startOf(request, updatedAt)), updatedAt }, "failed", code, message);
}

/** The source that each job reads. */
export type SourcesOfJobs = ReadonlyMap<string, string>;

/** What came of a request that nothing is to be read for; null of all others. */
export function outcomeUnread(
  status: BackfillStatus,
  from: { jobs: SourcesOfJobs; all: readonly BackfillStatus[] },
  updatedAt: number,
): BackfillProgress | null {
  if (isFinal(status)) return null;
  const { request, progress, cancelled } = status;
  const before = { ...(progress ?? startOf(request, updatedAt)), updatedAt };
  if (cancelled) return ended(before, "cancelled", "", "");
  const problem = refusal(request, from.jobs);
  if (problem !== null) return ended(before, "failed", "BACKFILL_REFUSED", problem);
  const gap = knownSourceGap(request, from.all);
  if (gap === undefined) return null;
  const { code, message } = gap;
  return {
    ...before,
    ...withGaps(before, gapsWithin(gap.sourceGaps, request)),
    state: "unhealable",
    code,
    message,
  };
}

/** Anybody may write requests: what is wrong with one. */
function refusal({ source, job, selector, from, to }: BackfillRequest, jobs: SourcesOfJobs): string | null {
  if (!jobs.has(job)) return `There is no job ${JSON.stringify(job)}.`;
  if (source !== jobs.get(job))
    return `The job ${JSON.stringify(job)} reads the source ${JSON.stringify(jobs.get(job))}, not ${JSON.stringify(source)}.`;
  if (from >= to) return `The range from ${from} to ${to} is empty.`;
  const problem = selector === "" ? null : selectorProblem(selector);
  return problem === null ? null : `${problem}.`;
}
