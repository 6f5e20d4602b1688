import {
  type BackfillPriority,
  type BackfillProgress,
  type BackfillRequest,
  type BackfillStatus,
  backfillPriorities,
  isFinal,
} from "../../shared/backfill-request.js";

/** What is left of one request, (from, to]. */
export interface Member {
  readonly request: BackfillRequest;
  readonly from: number;
  readonly to: number;
}

/** A range that is served at one go: what is left of requests that want the same, and touch each other. */
export interface Work {
  readonly source: string;
  readonly job: string;
  readonly selector: string;
  readonly priority: BackfillPriority;
  readonly from: number;
  readonly to: number;
  readonly members: readonly Member[];
}

/**
 * What can be served now, the next first: by priority, then by event time, since what is oldest is what Prometheus and Kafka
 * forget first. Requests of the same source, job, selector and priority whose ranges overlap or touch are one: a small urgent
 * one does not wait for a large one that is not. Nothing is newer than its job's watermark: that is what the job itself sends.
 * A job without one is not ready; null where the configuration does not know it.
 */
export function nextWork(
  statuses: Iterable<BackfillStatus>,
  watermarkOf: (job: string) => number | undefined,
): Work[] {
  const groups = new Map<string, Member[]>();
  for (const status of statuses) {
    if (isFinal(status) || status.cancelled) continue;
    const { request, progress } = status;
    const from = Math.max(request.from, progress?.healedUntil ?? -Infinity);
    const to = Math.min(request.to, watermarkOf(request.job) ?? -Infinity);
    if (to <= from) continue;
    const { source, job, selector, priority } = request;
    const key = JSON.stringify([source, job, selector, priority]);
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push({ request, from, to });
  }
  return [...groups.values()].flatMap(merged).sort(compareWork);
}

function merged(members: Member[]): Work[] {
  const works: Work[] = [];
  let current: Member[] = [];
  let end = -Infinity;
  const close = () => {
    if (current.length === 0) return;
    const { source, job, selector, priority } = current[0].request;
    works.push({ source, job, selector, priority, from: current[0].from, to: end, members: current });
  };
  for (const member of members.sort(compareMembers)) {
    if (member.from > end) {
      close();
      current = [];
    }
    current.push(member);
    end = current.length === 1 ? member.to : Math.max(end, member.to);
  }
  close();
  return works;
}

function compareMembers(a: Member, b: Member): number {
  return a.from - b.from || a.to - b.to || compareText(a.request.id, b.request.id);
}

function compareWork(a: Work, b: Work): number {
  const urgency = (work: Work) => backfillPriorities.indexOf(work.priority);
  return (
    urgency(b) - urgency(a) ||
    a.from - b.from ||
    compareText(a.members[0].request.id, b.members[0].request.id)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Whether work that is under way and has got to `reached` is still what is to be done next. Its end may have moved on meanwhile
 * with the watermark: the rest is the next work.
 */
export function goesOn(work: Work, reached: number, next: Work | undefined): boolean {
  if (next?.from !== reached || next.to < work.to) return false;
  const left = work.members.filter(({ request }) => request.to > reached).map(({ request }) => request.id);
  const ids = new Set(next.members.map(({ request }) => request.id));
  return left.length === ids.size && left.every((id) => ids.has(id));
}

/**
 * The outcome of a request which tells that a range has nothing at its source, since its targets were down: what a program asks
 * for again is not tried again. A person may know better.
 */
export function knownSourceGap(
  request: BackfillRequest,
  statuses: Iterable<BackfillStatus>,
): BackfillProgress | undefined {
  if (request.reason === "operator") return undefined;
  for (const { request: other, progress } of statuses) {
    if (
      progress?.code === "BACKFILL_TARGET_DOWN" &&
      other.source === request.source &&
      other.job === request.job &&
      other.selector === request.selector &&
      other.from <= request.from &&
      other.to >= request.to
    )
      return progress;
  }
  return undefined;
}
