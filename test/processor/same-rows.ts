import type { FeaturePlan } from "../../services/processor/feature-plan.js";
import { retentionMs } from "../../services/processor/state/partition-state.js";
import type { RawFrame } from "../../services/shared/frame.js";
import { bitText } from "../kernels/exact-arithmetic.js";
import type { Row } from "./naive-features.js";

/** A row, every bit of it. */
export const text = ({ type, value, flags, features }: Row) =>
  `${type} ${flags} ${bitText([value])} | ${bitText(features)}`;

/** Rows as text by their names, in the order of these. */
export function texts(rows: ReadonlyMap<string, Row>, isWanted: (name: string) => boolean = () => true) {
  return Object.fromEntries(
    [...rows.keys()]
      .filter(isWanted)
      .sort()
      .map((name) => [name, text(rows.get(name)!)]),
  );
}

/**
 * The rows that the processor leaves to a replay: those that were older than the entity's watermark minus the lateness when a
 * sample came that they depend on, or that an entity's return after a long silence found without their past. And how many
 * samples came so late that all of their rows were.
 */
export function leftToReplay(frames: readonly RawFrame[], plan: FeaturePlan) {
  const isAcross = (plan.imputation?.imputer.columnsOf ?? null) !== null;
  const entities = new Map<string, { watermark: number; seenAt: number; forgottenUntil: number }>();
  const left: { prefix: string; from: number; before: number }[] = [];
  let watermark = -Infinity;
  let tooLate = 0;
  for (const { entity, timestamp, series, stale } of frames) {
    let known = entities.get(entity.key);
    if (known === undefined || watermark - known.seenAt > retentionMs(plan)) {
      const forgottenUntil = Math.max(known?.watermark ?? -Infinity, known?.forgottenUntil ?? -Infinity);
      known = { watermark: -Infinity, seenAt: -Infinity, forgottenUntil };
      entities.set(entity.key, known);
    }
    watermark = Math.max(watermark, timestamp);
    known.seenAt = watermark;
    const isTooLate = timestamp <= known.watermark - retentionMs(plan);
    if (isTooLate) tooLate += series.length;
    known.watermark = Math.max(known.watermark, timestamp);
    const correctedFrom = known.watermark - plan.latenessMs;
    series.forEach(({ key }, i) => {
      if (stale[i] === 1 || timestamp >= correctedFrom) return;
      const from = timestamp - plan.reachBackMs;
      const combined = plan.combined.map(({ metric }) => `${metric}${entity.key}`);
      // Whether a frame is complete depends on all series, and so may what is filled from them.
      const isApart = plan.completeness === null && !isAcross;
      const prefixes = isApart ? [key, ...combined].map((one) => `${one} `) : [""];
      for (const prefix of prefixes)
        left.push({ prefix: `${entity.key} ${prefix}`, from, before: correctedFrom });
    });
  }
  const isLeft = (name: string) =>
    left.some(({ prefix, from, before }) => {
      const at = name.startsWith(prefix) ? Number(name.slice(name.lastIndexOf(" "))) : NaN;
      return at >= from && at < before && at <= from + plan.reachBackMs + plan.lookbackMs;
    }) ||
    [...entities].some(
      ([entity, { forgottenUntil }]) =>
        name.startsWith(`${entity} `) &&
        Number(name.slice(name.lastIndexOf(" "))) <= forgottenUntil + plan.lookbackMs,
    );
  return { isLeft, tooLate };
}
