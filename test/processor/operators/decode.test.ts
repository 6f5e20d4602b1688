import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { from, lastValueFrom, toArray } from "rxjs";
import { type InputMessage, decode } from "../../../services/processor/operators/decode.js";
import type { MillraceError } from "../../../services/shared/errors.js";
import { createRawReader, encodeRawFrame, wireHeader } from "../../../services/shared/frame-codec.js";
import { frameOf } from "../made-input.js";
import { RAW_SCHEMA_ID, rawSchemas } from "../raw-messages.js";

const frame = frameOf({
  entity: 1,
  tick: 3,
  samples: [{ series: 0, type: "gauge", value: 1, stale: false }],
});

async function decoded(values: readonly (Buffer | null)[], prepare = true) {
  const reader = createRawReader(rawSchemas);
  if (prepare) await reader.prepare(values);
  const poison: { offset: string; error: MillraceError }[] = [];
  const messages: InputMessage[] = values.map((value, i) => ({ offset: String(10 + i), value }));
  const frames = await lastValueFrom(
    from(messages).pipe(
      decode(reader, ({ offset }, error) => poison.push({ offset, error })),
      toArray(),
    ),
  );
  return { frames, poison };
}

describe("decode", () => {
  it("gives up what is no frame, each with its reason, and goes on", async () => {
    const good = encodeRawFrame(RAW_SCHEMA_ID, frame);
    const { frames, poison } = await decoded([
      Buffer.from("hello"),
      good,
      null,
      Buffer.concat([wireHeader(99), Buffer.from([1])]),
      good.subarray(0, good.length - 3),
      Buffer.concat([good, Buffer.from([0])]),
      good,
    ]);
    assert.deepEqual(
      frames.map(({ offset }) => offset),
      [11, 16],
    );
    assert.equal(frames[0].frame.entity, frame.entity);
    assert.deepEqual(
      poison.map(({ offset, error }) => `${offset} ${error.code}`),
      [
        "10 MESSAGE_UNDECODABLE",
        "12 MESSAGE_UNDECODABLE",
        "13 SCHEMA_UNKNOWN",
        "14 MESSAGE_UNDECODABLE",
        "15 MESSAGE_UNDECODABLE",
      ],
    );
  });

  it("refuses a time more than five minutes after the reading, which would make all to come late", async () => {
    const read = (aheadMs: number) =>
      encodeRawFrame(RAW_SCHEMA_ID, { ...frame, ingestedAt: frame.timestamp - aheadMs });
    const { frames, poison } = await decoded([read(300_000), read(300_001), read(3_600_000)]);
    assert.equal(frames.length, 1);
    assert.deepEqual(
      poison.map(({ error }) => `${error.code} ${error.message}`),
      [
        "INPUT_INVALID The frame's timestamp is 300 s later than it was read.",
        "INPUT_INVALID The frame's timestamp is 3600 s later than it was read.",
      ],
    );
  });

  it("does not give up messages for a defect of its own", async () => {
    await assert.rejects(decoded([encodeRawFrame(RAW_SCHEMA_ID, frame)], false), { code: "INTERNAL" });
  });
});
