import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deadLetter } from "../../services/shared/dead-letter.js";
import { MillraceError } from "../../services/shared/errors.js";
import { MAX_VALUE_BYTES } from "../../services/shared/frame-codec.js";

const origin = {
  topic: "t.metrics.features",
  partition: 3,
  offset: "42",
  key: Buffer.from('{job="api"}'),
  value: Buffer.from([0, 0, 0, 1, 2, 99]),
  timestamp: "1760000000000",
};
const error = new MillraceError("MESSAGE_UNDECODABLE", "The message ends too early.");

describe("deadLetter", () => {
  it("keeps key and bytes, and says in the headers where the message came from and why it died", () => {
    const letter = deadLetter("t.", origin, { stage: "sink", error, now: 1760000000500 });
    assert.deepEqual(letter, {
      topic: "t.metrics.dead",
      partition: 0,
      key: origin.key,
      value: origin.value,
      timestamp: 1760000000500,
      headers: {
        topic: "t.metrics.features",
        partition: "3",
        offset: "42",
        timestamp: "1760000000000",
        schema_id: "258",
        stage: "sink",
        code: "MESSAGE_UNDECODABLE",
        message: "The message ends too early.",
      },
    });
  });

  it("has no schema id where the bytes have none, and carries further headers", () => {
    const headers = { line: "cpu value=1 1" };
    const letter = deadLetter(
      "",
      { ...origin, key: null, value: Buffer.from("hello") },
      { stage: "processor", error, now: 1, headers },
    );
    assert.equal(letter.headers?.["schema_id"], "");
    assert.equal(letter.headers["line"], "cpu value=1 1");
    assert.equal(letter.key, null);
    assert.equal(deadLetter("", { ...origin, value: null }, { stage: "sink", error, now: 1 }).value, null);
  });

  it("stays below what a broker accepts, however large the message and its error are", () => {
    const huge = new MillraceError("MESSAGE_UNDECODABLE", "x".repeat(2_000_000));
    const value = Buffer.alloc(3_000_000, 7);
    const letter = deadLetter("", { ...origin, value }, { stage: "sink", error: huge, now: 1 });
    assert.equal(letter.value?.length, MAX_VALUE_BYTES);
    assert.equal(letter.headers?.["bytes"], "3000000");
    assert.ok(letter.headers["message"].length <= 10_000);
  });
});
