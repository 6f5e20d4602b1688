import { type MonoTypeOperatorFunction, tap } from "rxjs";
import { errorRate } from "../../kernels/error-rate.js";
import { throughput } from "../../kernels/throughput.js";
import { firstAfter } from "../../kernels/window-bounds.js";
import { flagBits } from "../../shared/frame.js";
import { internSeries } from "../../shared/series.js";
import type { CombinedRate, FeaturePlan } from "../feature-plan.js";
import type { Changes } from "../state/changes.js";
import { judgeAgain, judgeNewest, rateAtTime } from "../state/judge.js";
import { type EntityState, windowOf } from "../state/partition-state.js";
import { type SeriesWindow, entryKinds, setSample } from "../state/series-window.js";
import { sampleForm } from "../state/type-change.js";

/**
 * Adds the series that are computed of others of the same entity: at each time that one of these has a sample at, the sum of
 * their rates over the rate window up to then, or a share of it. They have windows and rows as any other series has.
 */
export function combine(plan: FeaturePlan): MonoTypeOperatorFunction<Changes> {
  const known = new WeakMap<EntityState, Known>();
  return tap((changes) => {
    if (changes.windows.length === 0) return;
    const { entity } = changes;
    let found = known.get(entity);
    if (found?.version !== entity.windowsVersion) {
      found = findMembers(plan, entity);
      known.set(entity, found);
    }
    if (found.combined.length === 0) return;
    const touched = new Set(changes.windows);
    for (const members of found.combined) {
      if (members.all.some((window) => touched.has(window))) recompute(plan, changes, members);
    }
    // What this opened is nobody's member.
    found.version = entity.windowsVersion;
  });
}

/** Which windows of an entity the combined series are computed of. */
interface Known {
  version: number;
  readonly combined: readonly Members[];
}

interface Members {
  readonly rate: CombinedRate;
  /** In the order of their series' keys, which the bits of a sum depend on. */
  readonly all: readonly SeriesWindow[];
  readonly share: readonly SeriesWindow[];
}

function findMembers({ combined }: FeaturePlan, { windows, windowsVersion }: EntityState): Known {
  const names = new Set(combined.map(({ metric }) => metric));
  const candidates = [...windows.values()]
    .filter(({ series }) => !names.has(series.metric))
    .sort((a, b) => (a.series.key < b.series.key ? -1 : 1));
  const found = combined.map((rate) => {
    const all = candidates.filter(({ series }) => rate.sum.captures(series) !== null);
    const isShare = ({ series }: SeriesWindow) => rate.share !== null && rate.share.captures(series) !== null;
    return { rate, all, share: all.filter(isShare) };
  });
  return { version: windowsVersion, combined: found.filter(({ all }) => all.length > 0) };
}

/** At the frame's time, and at the later ones whose rates see it. */
function recompute(plan: FeaturePlan, changes: Changes, members: Members): void {
  const { frame } = changes.input;
  const series = internSeries(members.rate.metric, frame.entity.labels, "gauge");
  const window = windowOf(changes.entity, series, plan);
  for (const timestamp of [frame.timestamp, ...laterTimes(window, plan, frame.timestamp)]) {
    const value = valueAt(plan, members, timestamp);
    const flags = Number.isFinite(value) ? 0 : flagBits.not_finite;
    const form = sampleForm(value, undefined, 0);
    const outcome = setSample(window, { series, timestamp, value, form, flags, isExcluded: false });
    if (outcome === "duplicate") continue;
    changes.windows.push(window);
    changes.samples.push(-1);
    changes.outcomes.push(outcome);
    changes.from.push(timestamp);
    changes.to.push(outcome === "appended" ? judgeNewest(window, plan) : judgeAgain(window, plan, timestamp));
  }
}

/** Times after this of samples whose rates see it; points that were filled in are none. */
function laterTimes({ timestamps, kinds, first, end }: SeriesWindow, plan: FeaturePlan, timestamp: number) {
  const times: number[] = [];
  for (let at = firstAfter(timestamps, first, end, timestamp); at < end; at++) {
    if (timestamps[at] >= timestamp + plan.rateWindowMs) break;
    if (kinds[at] !== entryKinds.filledIn) times.push(timestamps[at]);
  }
  return times;
}

function valueAt({ rateWindowMs }: FeaturePlan, { rate, all, share }: Members, atMs: number): number {
  const ratesOf = (windows: readonly SeriesWindow[]) =>
    Float64Array.from(windows, (window) => rateAtTime(window, rateWindowMs, atMs));
  return rate.share === null ? throughput(ratesOf(all)) : errorRate(ratesOf(share), ratesOf(all));
}
