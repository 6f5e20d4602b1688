import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createHandOver } from "../../services/client/hand-over.js";
import { MillraceError } from "../../services/shared/errors.js";

describe("createHandOver", () => {
  it("settles an offer when the loop asks for the next item, not before", async () => {
    const { offer, items, end } = createHandOver<string>();
    const events: string[] = [];
    const offering = (async () => {
      for (const item of ["a", "b"]) events.push(`${item} handled: ${await offer(item)}`);
      end();
    })();
    for await (const item of items()) {
      events.push(`${item} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      events.push(`${item} ends`);
    }
    await offering;
    assert.deepEqual(events, [
      "a begins",
      "a ends",
      "a handled: true",
      "b begins",
      "b ends",
      "b handled: true",
    ]);
  });

  it("does not count the item at which the loop was left, nor any after it", async () => {
    const { offer, items } = createHandOver<string>();
    const first = offer("a");
    for await (const item of items()) {
      assert.equal(item, "a");
      break;
    }
    assert.equal(await first, false);
    assert.equal(await offer("b"), false);
  });

  it("does not count the item whose handling failed", async () => {
    const { offer, items } = createHandOver<string>();
    const first = offer("a");
    await assert.rejects(async () => {
      for await (const item of items()) throw new Error(item);
    }, /a/);
    assert.equal(await first, false);
  });

  it("counts the item that the loop was at when it was ended", async () => {
    const { offer, items, end } = createHandOver<string>();
    const first = offer("a");
    for await (const item of items()) {
      assert.equal(item, "a");
      end();
    }
    assert.equal(await first, true);
  });

  it("refuses an item that waits when it is ended, and wakes a loop that waits", async () => {
    const waiting = createHandOver<string>();
    const loop = (async () => {
      for await (const item of waiting.items()) assert.fail(item);
    })();
    await new Promise((resolve) => setImmediate(resolve));
    waiting.end();
    await loop;

    const offered = createHandOver<string>();
    const offer = offered.offer("a");
    offered.end();
    for await (const item of offered.items()) assert.fail(item);
    assert.equal(await offer, false);
  });

  it("throws what it was ended with", async () => {
    const { items, end } = createHandOver<string>();
    const error = new MillraceError("SCHEMA_UNKNOWN", "The registry has no Avro schema 7.");
    end(error);
    end();
    await assert.rejects(async () => {
      for await (const item of items()) assert.fail(item);
    }, error);
  });
});
