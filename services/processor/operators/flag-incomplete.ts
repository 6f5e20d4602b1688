import { type MonoTypeOperatorFunction, tap } from "rxjs";
import { isIncomplete } from "../../kernels/missing/presence.js";
import { flagBits } from "../../shared/frame.js";
import type { CompletenessPlan, FeaturePlan } from "../feature-plan.js";
import type { Changes } from "../state/changes.js";
import { incompleteTimes } from "../state/incomplete-frames.js";
import { entryAt, entryKinds } from "../state/series-window.js";

/**
 * Judges whether a frame lacks too much of what its entity should have at that time. A late sample has the frames after it
 * judged again; rows whose flag that changes are to be emitted again.
 */
export function flagIncomplete(
  plan: FeaturePlan,
  completeness: CompletenessPlan,
): MonoTypeOperatorFunction<Changes> {
  return tap((changes) => {
    const { entity, outcomes, input } = changes;
    if (outcomes.length === 0) return;
    const { timestamp, flags } = input.frame;
    // A sample that was only replaced was there before.
    if (outcomes.some((outcome) => outcome !== "replaced")) judgeAround(plan, completeness, changes);
    if (!entity.incomplete.has(timestamp)) return;
    for (let i = 0; i < flags.length; i++) {
      if ((flags[i] & flagBits.stale) === 0) flags[i] |= flagBits.incomplete;
    }
  });
}

/** The frame of these changes, and the later ones that see its samples. */
function judgeAround(plan: FeaturePlan, completeness: CompletenessPlan, changes: Changes): void {
  const { entity, outcomes, input } = changes;
  const from = input.frame.timestamp;
  const to = Math.min(from + completeness.lookbackMs - 1, entity.watermark);
  // Nearly always: the newest frame, and too little is missing even if all series of the entity were expected.
  const series = entity.windows.size;
  const came = outcomes.filter((outcome) => outcome !== "replaced").length;
  const isPlain = from === to && !isIncomplete((series - came) / series, completeness.threshold);
  const now = isPlain ? [] : incompleteTimes(entity, plan, completeness, from, to);
  const { incomplete } = entity;
  if (incomplete.size === 0 && now.length === 0) return;
  const before = [...incomplete].filter((time) => time >= from && time <= to);
  for (const time of before) incomplete.delete(time);
  for (const time of now) incomplete.add(time);
  const isFlip = (time: number) => incomplete.has(time) !== before.includes(time);
  noteFlips(changes, [...new Set([...before, ...now])].filter(isFlip));
}

function noteFlips({ entity, windows, outcomes, input, flipped }: Changes, times: readonly number[]): void {
  for (const timestamp of times) {
    for (const window of entity.windows.values()) {
      const at = entryAt(window, timestamp);
      if (at < 0 || window.kinds[at] === entryKinds.filledIn) continue;
      // Its row is the newest of its series, which is emitted anyway.
      const isNewest =
        timestamp === input.frame.timestamp && outcomes[windows.indexOf(window)] === "appended";
      if (!isNewest) flipped.push({ window, timestamp });
    }
  }
}
