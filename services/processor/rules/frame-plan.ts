import type { Series } from "../../shared/frame.js";
import {
  type CompiledRules,
  type FrameRule,
  type OrderRule,
  type SampleRule,
  type SeriesRules,
  noRules,
  rulesOf,
} from "./compile-rules.js";

/**
 * What to judge in frames of these series in this order, as indices of their samples: frames of one entity mostly have
 * the same series, so that rules are matched once and samples that no rule is about cost nothing.
 */
export interface FramePlan {
  readonly series: readonly Series[];
  readonly ranges: RangeChecks;
  readonly orders: readonly OrderCheck[];
  readonly samples: readonly SampleCheck[];
  readonly frames: readonly FrameCheck[];
}

/** Parallel columns: check k is of the sample at `places[k]` against one range. */
export interface RangeChecks {
  readonly places: Int32Array;
  readonly rules: Int32Array;
  readonly lows: Float64Array;
  readonly highs: Float64Array;
  readonly exclusive: Uint8Array;
}

export interface OrderCheck {
  readonly order: OrderRule;
  /** Where its samples stand in the frame, the least first. */
  readonly places: Int32Array;
}

export interface SampleCheck {
  readonly sample: SampleRule;
  readonly place: number;
}

export interface FrameCheck {
  readonly frame: FrameRule;
  /** Where the sample of each of its selectors stands in the frame. */
  readonly places: Int32Array;
  /** Scratch for their values. */
  readonly values: Float64Array;
}

export function planFrame(rules: CompiledRules, series: readonly Series[]): FramePlan {
  const judged: Judged[] = [];
  series.forEach((one, place) => {
    const found = rulesOf(rules, one);
    if (found !== noRules) judged.push({ place, found });
  });
  return {
    series: series.slice(),
    ranges: rangeChecks(judged),
    orders: orderChecks(judged),
    samples: judged.flatMap(({ place, found }) => found.samples.map((sample) => ({ sample, place }))),
    frames: frameChecks(judged),
  };
}

/** A sample that a rule is about: where it stands in the frame, and which rules. */
interface Judged {
  readonly place: number;
  readonly found: SeriesRules;
}

/** Whether the plan is for frames of these very series. */
export function fits({ series }: FramePlan, others: readonly Series[]): boolean {
  if (series.length !== others.length) return false;
  for (let i = 0; i < series.length; i++) if (series[i] !== others[i]) return false;
  return true;
}

function rangeChecks(judged: readonly Judged[]): RangeChecks {
  const checks = judged.flatMap(({ place, found }) => found.ranges.map((range) => ({ ...range, place })));
  return {
    places: Int32Array.from(checks, ({ place }) => place),
    rules: Int32Array.from(checks, ({ rule }) => rule),
    lows: Float64Array.from(checks, ({ low }) => low),
    highs: Float64Array.from(checks, ({ high }) => high),
    exclusive: Uint8Array.from(checks, ({ isExclusive }) => Number(isExclusive)),
  };
}

/** The orders whose series are all there, each once: of two for one place nobody knows which is meant. */
function orderChecks(judged: readonly Judged[]): OrderCheck[] {
  const groups = new Map<string, { order: OrderRule; members: Members }>();
  judged.forEach(({ found, place: at }) => {
    for (const { order, place, group } of found.orders) {
      const key = `${order.rule} ${group}`;
      let known = groups.get(key);
      if (known === undefined)
        groups.set(key, (known = { order, members: new Map<number, number | null>() }));
      addMember(known.members, place, at);
    }
  });
  return [...groups.values()].flatMap(({ order, members }) => {
    const places = placesOf(members, order.ascending.length);
    return places === null ? [] : [{ order, places }];
  });
}

/** The frame rules each of whose selectors matches one series, and no more. */
function frameChecks(judged: readonly Judged[]): FrameCheck[] {
  const byRule = new Map<FrameRule, Members>();
  judged.forEach(({ found, place: at }) => {
    for (const { frame, place } of found.frames) {
      let members = byRule.get(frame);
      if (members === undefined) byRule.set(frame, (members = new Map<number, number | null>()));
      addMember(members, place, at);
    }
  });
  return [...byRule].flatMap(([frame, members]) => {
    const places = placesOf(members, frame.matches.length);
    return places === null ? [] : [{ frame, places, values: new Float64Array(places.length) }];
  });
}

/** For each place of a rule where its sample stands in the frame; null where there is more than one. */
type Members = Map<number, number | null>;

function addMember(members: Members, place: number, at: number): void {
  members.set(place, members.has(place) ? null : at);
}

/** Null where a place has no sample, or more than one. */
function placesOf(members: Members, count: number): Int32Array | null {
  const places = Array.from({ length: count }, (_, place) => members.get(place) ?? null);
  return places.includes(null) ? null : Int32Array.from(places as number[]);
}
