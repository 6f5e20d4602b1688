import { type BackfillState, type BackfillStatus, stateOf } from "../shared/backfill-request.js";
import { countText, secondsText } from "./quantities.js";
import type { Paint } from "./terminal.js";
import { textTable } from "./text-table.js";

/** A request as it is shown; null is not known. */
export interface ShownBackfill {
  readonly id: string;
  readonly job: string;
  readonly selector: string;
  /** ISO 8601, as all times here. */
  readonly from: string;
  readonly to: string;
  readonly priority: string;
  readonly reason: string;
  readonly requestedBy: string;
  readonly state: BackfillState;
  /** Of the range, 0 to 1. */
  readonly share: number;
  readonly healedUntil: string | null;
  readonly found: number;
  readonly sent: number;
  readonly samplesPerSecond: number | null;
  readonly etaSeconds: number | null;
  readonly downSeconds: number;
  readonly sourceGaps: readonly { target: string; from: string; to: string }[];
  readonly code: string;
  readonly message: string;
}

/** The request now; rates are those since `earlier`, where that is given. */
export function shownBackfill(status: BackfillStatus, earlier: BackfillStatus | null): ShownBackfill {
  const { request, progress } = status;
  const { from, to } = request;
  const healedUntil = progress?.healedUntil ?? from;
  const speed = speedOf(earlier?.progress ?? null, progress);
  const iso = (ms: number) => new Date(ms).toISOString();
  return {
    id: request.id,
    job: request.job,
    selector: request.selector,
    from: iso(from),
    to: iso(to),
    priority: request.priority,
    reason: request.reason,
    requestedBy: request.requestedBy,
    state: stateOf(status),
    share: to > from ? (healedUntil - from) / (to - from) : 0,
    healedUntil: progress === null ? null : iso(healedUntil),
    found: progress?.found ?? 0,
    sent: progress?.sent ?? 0,
    samplesPerSecond: speed?.samplesPerSecond ?? null,
    etaSeconds: speed === null ? null : (to - healedUntil) / speed.msPerSecond,
    downSeconds: (progress?.downMs ?? 0) / 1_000,
    sourceGaps: (progress?.sourceGaps ?? []).map((gap) => ({
      target: gap.target,
      from: iso(gap.from),
      to: iso(gap.to),
    })),
    code: progress?.code ?? "",
    message: progress?.message ?? "",
  };
}

type Reading = NonNullable<BackfillStatus["progress"]>;

/** Null where nothing was done between the two. */
function speedOf(earlier: Reading | null, later: Reading | null) {
  if (earlier === null || later === null) return null;
  const seconds = (later.updatedAt - earlier.updatedAt) / 1_000;
  const healedMs = later.healedUntil - earlier.healedUntil;
  if (seconds <= 0 || healedMs <= 0) return null;
  return { samplesPerSecond: (later.found - earlier.found) / seconds, msPerSecond: healedMs / seconds };
}

const BAR_WIDTH = 24;

/** One line, of 80 columns mostly: `1f2e3d4c live ████░░░░  42 %  12,345 samples/s  ETA 2 min  healing`. */
export function progressLine(shown: ShownBackfill, paint: Paint): string {
  const filled = Math.floor(shown.share * BAR_WIDTH);
  const bar = "█".repeat(filled) + paint("dim", "░".repeat(BAR_WIDTH - filled));
  const percent = `${Math.floor(shown.share * 100)} %`.padStart(5);
  const isDone = !isUnderWay(shown.state);
  const speed = isDone
    ? `${countText(shown.sent)} of ${countText(shown.found)} samples sent`
    : `${countText(shown.samplesPerSecond)} samples/s  ETA ${secondsText(shown.etaSeconds)}`;
  const state = shown.state === "healed" ? paint("green", "healed") : paint("yellow", shown.state);
  return `${shown.id} ${shown.job} ${bar} ${percent}  ${speed}  ${state}`;
}

export function isUnderWay(state: BackfillState): boolean {
  return state === "requested" || state === "healing";
}

/** What a person should know of a request that has come to its end; empty where there is nothing to say. */
export function outcomeNotes(shown: ShownBackfill): string[] {
  const gaps = shown.sourceGaps.map(
    ({ target, from, to }) => `  ${target} was down from ${from} to ${to}: nothing is there to fetch.`,
  );
  return shown.message === "" ? gaps : [`  ${shown.code}: ${shown.message}`, ...gaps];
}

/** All requests, the newest last. */
export function listView(all: readonly ShownBackfill[]): string[] {
  if (all.length === 0) return ["There are no requests."];
  return textTable(
    [
      { title: "ID" },
      { title: "JOB" },
      { title: "FROM" },
      { title: "TO" },
      { title: "PRIORITY" },
      { title: "DONE", align: "right" },
      { title: "FOUND", align: "right" },
      { title: "SENT", align: "right" },
      { title: "STATE" },
      { title: "MATCH" },
    ],
    all.map((shown) => [
      shown.id,
      shown.job,
      shown.from,
      shown.to,
      shown.priority,
      `${Math.floor(shown.share * 100)} %`,
      countText(shown.found),
      countText(shown.sent),
      shown.code === "" ? shown.state : `${shown.state} (${shown.code})`,
      shown.selector,
    ]),
  );
}
