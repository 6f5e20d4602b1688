import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { from, lastValueFrom } from "rxjs";
import type { FeaturePlan } from "../../services/processor/feature-plan.js";
import { rebuild } from "../../services/processor/pipeline.js";
import { openPartitionState, rewindOf } from "../../services/processor/state/partition-state.js";
import type { FeatureFrame } from "../../services/shared/frame.js";
import { createRawReader } from "../../services/shared/frame-codec.js";
import { fold, run } from "./emitted-rows.js";
import { ENTITIES, anyInput, arrivals, batchLengths, entityOf, timelyInput } from "./made-input.js";
import { naiveRows } from "./naive-features.js";
import { leftToReplay, text, texts } from "./same-rows.js";
import { rawMessage, rawSchemas } from "./raw-messages.js";

const seed = 7;

/** What was emitted, in its order; of rows that are left to a replay only that they were. */
function emissionTexts(emitted: readonly FeatureFrame[], isLeft: (name: string) => boolean): string[] {
  return emitted.flatMap((frame) =>
    [...fold([frame])].map(
      ([name, row]) => `${name} ${frame.revision} ${frame.knownAt} ${isLeft(name) ? "" : text(row)}`,
    ),
  );
}

/** The laws of the processor, as properties of its operators under one plan; `thoroughness` multiplies the cases. */
export function describeSameFeatures(name: string, plan: FeaturePlan, thoroughness = 1): void {
  const numRuns = 50 * thoroughness;
  describe(`the processor's operators, ${name}`, () => {
    it("say what is computed from scratch, in whatever order and batches timely samples come", async () => {
      await fc.assert(
        fc.asyncProperty(timelyInput, batchLengths, fc.boolean(), async (seeds, batches, strict) => {
          const frames = arrivals(seeds);
          const { emitted, outcomes } = await run(frames, { plan, batches, strict });
          assert.deepEqual(texts(fold(emitted)), texts(naiveRows(frames, plan, strict)));
          assert.equal(outcomes.get("needs_replay") ?? 0, 0);
          assert.equal(outcomes.get("too_late") ?? 0, 0);
        }),
        { seed, numRuns },
      );
    });

    it("say what is computed from scratch where samples come too late, but for the rows that they leave to a replay", async () => {
      await fc.assert(
        fc.asyncProperty(anyInput, batchLengths, fc.boolean(), async (seeds, batches, strict) => {
          const frames = arrivals(seeds);
          const { isLeft, tooLate } = leftToReplay(frames, plan);
          const { emitted, outcomes } = await run(frames, { plan, batches, strict });
          const isWhole = (name: string) => !isLeft(name);
          assert.deepEqual(texts(fold(emitted), isWhole), texts(naiveRows(frames, plan, strict), isWhole));
          assert.equal(outcomes.get("too_late") ?? 0, tooLate);
        }),
        { seed, numRuns },
      );
    });

    it("leave the same rows, with the same revisions, wherever one batch ends and the next begins", async () => {
      await fc.assert(
        fc.asyncProperty(anyInput, batchLengths, async (seeds, batches) => {
          const frames = arrivals(seeds);
          const inBatches = fold((await run(frames, { plan, batches })).emitted);
          const oneByOne = fold((await run(frames, { plan, batches: [1] })).emitted);
          assert.deepEqual(texts(inBatches), texts(oneByOne));
          for (const [name, { revision }] of oneByOne)
            assert.equal(inBatches.get(name)!.revision, revision, name);
        }),
        { seed, numRuns: Math.max(50, 20 * thoroughness) },
      );
    });

    const reader = createRawReader(rawSchemas);
    const settling = {
      plan,
      strict: true,
      judge: null,
      count: () => undefined,
      onTypeChange: () => undefined,
    };

    it("go on as if they had never stopped, from state that was rebuilt from the input at any place", async () => {
      await fc.assert(
        fc.asyncProperty(anyInput, batchLengths, fc.nat(), async (seeds, batches, drawn) => {
          const frames = arrivals(seeds);
          const stop = drawn % frames.length;
          const unbroken = openPartitionState();
          await run(frames.slice(0, stop), { plan, batches, state: unbroken });
          const rewind = rewindOf(unbroken, plan);
          const rebuilt = openPartitionState(rewind?.watermark);
          const messages = frames.slice(0, stop).map(rawMessage);
          await reader.prepare(messages.map(({ value }) => value));
          await lastValueFrom(
            from(messages.slice(rewind?.offset ?? stop)).pipe(rebuild(reader, settling, rebuilt)),
            { defaultValue: undefined },
          );

          const rest = { plan, batches, firstOffset: stop };
          const wanted = await run(frames.slice(stop), { ...rest, state: unbroken });
          const found = await run(frames.slice(stop), { ...rest, state: rebuilt });
          const { isLeft } = leftToReplay(frames, plan);
          assert.deepEqual(emissionTexts(found.emitted, isLeft), emissionTexts(wanted.emitted, isLeft));
          assert.deepEqual(found.outcomes, wanted.outcomes);
        }),
        { seed, numRuns },
      );
    });

    it("say the same of an entity whatever other entities share its partition", async () => {
      await fc.assert(
        fc.asyncProperty(timelyInput, batchLengths, async (seeds, batches) => {
          const frames = arrivals(seeds);
          const together = fold((await run(frames, { plan, batches })).emitted);
          for (let entity = 0; entity < ENTITIES; entity++) {
            const { key } = entityOf(entity);
            const alone = await run(
              frames.filter((frame) => frame.entity.key === key),
              { plan, batches },
            );
            assert.deepEqual(
              texts(fold(alone.emitted)),
              texts(together, (name) => name.startsWith(`${key} `)),
            );
          }
        }),
        { seed, numRuns: 50 },
      );
    });
  });
}
