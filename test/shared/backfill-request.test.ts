import assert from "node:assert/strict";
import { describe, it } from "node:test";
import avro from "avsc";
import {
  createBackfillTable,
  createRecordReader,
  gapRequestId,
  isFinal,
  newRequestId,
  progressMessage,
  requestMessage,
  stateOf,
} from "../../services/shared/backfill-request.js";
import { schemaText } from "../../services/shared/topics.js";
import { progressOf, requestOf } from "../poller/backfill/requests.js";

const to = { topic: "t", schemaId: 7 };
const ours = avro.Type.forSchema(JSON.parse(schemaText("backfill.requests.avsc")) as avro.Schema);
const read = createRecordReader({ writerSchema: () => Promise.resolve(ours) });

describe("records", () => {
  const request = requestOf({ id: "1f", selector: 'load{a="b"}', priority: "high", reason: "sink_gap" });

  it("come back as they were written, requester's and poller's under keys of their own", async () => {
    const asked = requestMessage(to, request, { cancelled: true, timestamp: 5 });
    assert.deepEqual([asked.key, asked.timestamp], ["1f", 5]);
    assert.deepEqual({ ...(await read(asked.value!)) }, { ...request, cancelled: true, progress: null });

    const progress = progressOf({ sourceGaps: [{ target: "t", from: 1, to: 2 }], code: "C" });
    const told = progressMessage(to, request, progress);
    assert.deepEqual([told.key, told.timestamp], ["1f/progress", progress.updatedAt]);
    const record = await read(told.value!);
    assert.equal(JSON.stringify(record.progress), JSON.stringify(progress));
  });

  it("of the first schema are read, too, with defaults", async () => {
    const fields = ["source", "job", "selector", "from", "to", "reason", "requestedBy", "requestedAt"];
    const first = JSON.parse(schemaText("backfill.requests.avsc")) as { fields: { name: string }[] };
    const old = avro.Type.forSchema({
      ...first,
      fields: first.fields.filter(({ name }) => fields.includes(name)),
    } as unknown as avro.Schema);
    const known = Object.fromEntries(Object.entries(request).filter(([name]) => fields.includes(name)));
    const value = Buffer.concat([Buffer.from([0, 0, 0, 0, 9]), old.toBuffer(known)]);
    const record = await createRecordReader({ writerSchema: () => Promise.resolve(old) })(value);
    assert.deepEqual(
      { ...record },
      { ...known, id: "", priority: "normal", cancelled: false, progress: null },
    );
  });

  it("that are none are refused", async () => {
    await assert.rejects(read(Buffer.from("text")), { code: "MESSAGE_UNDECODABLE" });
    await assert.rejects(read(Buffer.from([0, 0, 0, 0, 7, 1])), { code: "MESSAGE_UNDECODABLE" });
  });
});

describe("ids", () => {
  it("are a gap's own, however often it is found, and a person's request's own", () => {
    const gap = requestOf({ reason: "sink_gap" });
    assert.equal(gapRequestId(gap), gapRequestId({ ...gap, requestedAt: 99 } as typeof gap));
    assert.notEqual(gapRequestId(gap), gapRequestId({ ...gap, to: 1_001 }));
    assert.notEqual(newRequestId(), newRequestId());
  });
});

describe("the table", () => {
  const request = requestOf();
  const asked = { ...request, cancelled: false, progress: null };
  const told = (over: Parameters<typeof progressOf>[0]) => ({ ...asked, progress: progressOf(over) });

  it("takes no progress back", () => {
    const table = createBackfillTable();
    const healedUntil = () => table.get("r")?.progress?.healedUntil;
    table.apply(asked);
    assert.equal(stateOf(table.get("r")!), "requested");
    table.apply(told({ healedUntil: 500 }));
    table.apply(told({ healedUntil: 400 }));
    table.apply(asked);
    assert.equal(healedUntil(), 500);
    table.progressed(request, progressOf({ state: "healed", healedUntil: 1_000 }));
    table.apply(told({ healedUntil: 600 }));
    table.apply(told({ state: "failed", healedUntil: 1_000 }));
    assert.deepEqual([healedUntil(), stateOf(table.get("r")!)], [1_000, "healed"]);
    assert.ok(isFinal(table.get("r")!));
  });

  it("knows what is cancelled, whichever comes first", () => {
    for (const records of [
      [asked, told({ healedUntil: 5 }), { ...asked, cancelled: true }],
      [asked, { ...asked, cancelled: true }, told({ healedUntil: 5 })],
    ]) {
      const table = createBackfillTable();
      for (const record of records) table.apply(record);
      assert.deepEqual([table.get("r")?.cancelled, table.get("r")?.progress?.healedUntil], [true, 5]);
    }
  });

  it("knows a request whose own record is gone, from its progress", () => {
    const table = createBackfillTable();
    table.apply(told({ healedUntil: 5 }));
    assert.equal(table.all()[0].request.to, request.to);
  });
});
