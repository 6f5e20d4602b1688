import { from, lastValueFrom, toArray } from "rxjs";
import type { FeaturePlan } from "../../services/processor/feature-plan.js";
import type { SampleOutcome } from "../../services/processor/operators/remember.js";
import { transform } from "../../services/processor/pipeline.js";
import { type PartitionState, openPartitionState } from "../../services/processor/state/partition-state.js";
import type { TypeChange } from "../../services/processor/state/type-change.js";
import type { FeatureFrame, RawFrame } from "../../services/shared/frame.js";
import { type EmittedRow, rowKey } from "./naive-features.js";

export interface Run {
  readonly emitted: readonly FeatureFrame[];
  readonly outcomes: ReadonlyMap<SampleOutcome, number>;
  readonly typeChanges: readonly TypeChange[];
}

export interface RunOptions {
  readonly plan: FeaturePlan;
  readonly strict?: boolean;
  /** Lengths of the batches that the frames come in, again and again; one batch where there are none. */
  readonly batches?: readonly number[];
  readonly state?: PartitionState;
  readonly firstOffset?: number;
}

/** What the processor's operators emit for these frames, in their order. A frame's offset is its place. */
export async function run(frames: readonly RawFrame[], options: RunOptions): Promise<Run> {
  const { plan, strict = true, batches = [], state = openPartitionState(), firstOffset = 0 } = options;
  const outcomes = new Map<SampleOutcome, number>();
  const count = (outcome: SampleOutcome, samples: number) =>
    void outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + samples);
  const typeChanges: TypeChange[] = [];
  const onTypeChange = (change: TypeChange) => void typeChanges.push(change);
  const operator = transform({ plan, strict, judge: null, count, onTypeChange }, state);
  const emitted: FeatureFrame[] = [];
  const input = frames.map((frame, i) => ({ offset: firstOffset + i, frame }));
  for (let batch = 0; input.length > 0; batch++) {
    const size = batches.length === 0 ? input.length : Math.max(1, batches[batch % batches.length]);
    emitted.push(...(await lastValueFrom(from(input.splice(0, size)).pipe(operator, toArray()))));
  }
  return { emitted, outcomes, typeChanges };
}

/**
 * The rows that hold in the end: of each (series, timestamp) the highest revision, and the last emission of that, but for
 * those that were retracted.
 */
export function fold(emitted: readonly FeatureFrame[]): ReadonlyMap<string, EmittedRow> {
  const rows = new Map<string, EmittedRow>();
  const retracted = new Set<string>();
  for (const frame of emitted) {
    const width = frame.features.length / frame.series.length;
    frame.series.forEach(({ key, type }, i) => {
      const name = rowKey(frame.entity.key, key, frame.timestamp);
      if (frame.revision < (rows.get(name)?.revision ?? 0)) return;
      if (frame.retracted) retracted.add(name);
      else retracted.delete(name);
      rows.set(name, {
        revision: frame.revision,
        type,
        value: frame.values[i],
        flags: frame.flags[i],
        features: [...frame.features.subarray(i * width, (i + 1) * width)],
      });
    });
  }
  for (const name of retracted) rows.delete(name);
  return rows;
}
