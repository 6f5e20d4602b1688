import type { Entity, Labels, MetricType, Series } from "../shared/frame.js";
import { internEntity, internSeries } from "../shared/series.js";
import { entityLabels } from "./frames.js";
import type { LeftOut } from "./left-out.js";
import { type LeftOutCode, type Limits, labelsOverLimit } from "./limits.js";
import type { Relabelling } from "./relabel.js";
import type { Window } from "./window.js";

/** What a series of Prometheus is in the frames. */
export interface Identity {
  readonly series: Series;
  readonly entity: Entity;
}

/** A series of the job's own, and whether it is read. */
export interface Candidate {
  /** In Prometheus. */
  readonly key: string;
  /** Null where the rules drop it, or it can be none. */
  identity: Identity | null;
  /** Why it is left out where its identity does not say so. */
  refusal: LeftOutCode | null;
  /** End of the window that showed it last, milliseconds since the epoch. */
  shownUntil: number;
}

/** Which of the job's series are read: what the rules keep, within the limits, and one for each name and label set. */
export interface Admission {
  /** Decides on a series that was not known, by its key and labels in Prometheus, the labels with `__name__`. */
  admit(
    fresh: { key: string; labels: Labels; type: MetricType; entity: readonly string[] },
    window: Window,
  ): Candidate;
  /** Tells that a window shows series, and lets those in for whom there is a place by now, the smallest key first. */
  shown(candidates: readonly Candidate[], window: Window): void;
  /** Of series that are not known any more. */
  forget(candidate: Candidate): void;
  /** How many known series are left out for which reason, and one of each. */
  leftOut(): LeftOut["series"];
}

/** Of series that the rules make one, the first is read until it has had no sample for so long: Prometheus's own lookback. */
const HOLD_MS = 300_000;

export function createAdmission(relabel: Relabelling, limits: Limits): Admission {
  /** Who is read, by the key in the frames. */
  const holders = new Map<string, Candidate>();
  const refused = new Map<LeftOutCode, Set<Candidate>>();

  const refuse = (candidate: Candidate, code: LeftOutCode) => {
    candidate.refusal = code;
    const others = refused.get(code);
    if (others === undefined) refused.set(code, new Set([candidate]));
    else others.add(candidate);
  };
  const unrefuse = (candidate: Candidate) => {
    if (candidate.refusal === null) return;
    const others = refused.get(candidate.refusal);
    others?.delete(candidate);
    if (others?.size === 0) refused.delete(candidate.refusal);
    candidate.refusal = null;
  };

  /** Gives a candidate its place, or says why it has none. */
  function place(candidate: Candidate, key: string): void {
    if (holders.has(key)) refuse(candidate, "RELABEL_SAME_SERIES");
    else if (holders.size >= limits.series_max) refuse(candidate, "LIMIT_SERIES");
    else holders.set(key, candidate);
  }

  /** Whether there may be a place now for one that had none. */
  function mayEnter(candidate: Candidate, window: Window): boolean {
    if (candidate.refusal === "LIMIT_SERIES") return holders.size < limits.series_max;
    if (candidate.refusal !== "RELABEL_SAME_SERIES") return false;
    const holder = holders.get(candidate.identity!.series.key);
    return holder === undefined || Math.abs(window.to - holder.shownUntil) > HOLD_MS;
  }

  function enter(candidate: Candidate): void {
    const { key } = candidate.identity!.series;
    const silent = holders.get(key);
    unrefuse(candidate);
    holders.delete(key);
    place(candidate, key);
    if (silent !== undefined) refuse(silent, "RELABEL_SAME_SERIES");
  }

  return {
    admit: ({ key, labels, type, entity }, window) => {
      const candidate: Candidate = { key, identity: null, refusal: null, shownUntil: window.to };
      const kept = relabel(labels);
      if (kept === null) return candidate;
      const { __name__: metric = "", ...rest } = kept;
      const code = metric === "" ? "RELABEL_NO_NAME" : labelsOverLimit(kept, limits);
      if (code !== null) {
        refuse(candidate, code);
        return candidate;
      }
      const series = internSeries(metric, rest, type);
      candidate.identity = { series, entity: internEntity(entityLabels(series.labels, entity)) };
      place(candidate, series.key);
      return candidate;
    },
    shown: (candidates, window) => {
      for (const candidate of candidates) candidate.shownUntil = window.to;
      if (!refused.has("RELABEL_SAME_SERIES") && !refused.has("LIMIT_SERIES")) return;
      for (const candidate of byKey(candidates)) if (mayEnter(candidate, window)) enter(candidate);
    },
    forget: (candidate) => {
      unrefuse(candidate);
      const key = candidate.identity?.series.key;
      if (key !== undefined && holders.get(key) === candidate) holders.delete(key);
    },
    leftOut: () =>
      new Map(
        Array.from(refused, ([code, candidates]) => {
          const [{ key }] = candidates;
          return [code, { count: candidates.size, example: key }];
        }),
      ),
  };
}

/** By code units: whoever comes first must not depend on the order of Prometheus's answers. */
function byKey(candidates: readonly Candidate[]): Candidate[] {
  return candidates.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}
