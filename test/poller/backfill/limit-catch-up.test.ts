import assert from "node:assert/strict";
import { it } from "node:test";
import { limitCatchUp } from "../../../services/poller/backfill/limit-catch-up.js";

const topics = {
  state: { topic: "state", schemaId: 1 },
  backfill: { topic: "backfill", schemaId: 2 },
};
const skip = (watermark: number) =>
  limitCatchUp({ source: "prometheus", job: "a", watermark }, { now: 10_000, limitMs: 1_000 }, topics);

it("lets a job catch up a short downtime by itself", () => {
  assert.equal(skip(9_000), null);
  assert.equal(skip(9_999), null);
});

it("requests what a long downtime left, up to where the job goes on", () => {
  const skipped = skip(4_000);
  assert.equal(skipped?.watermark, 9_000);
  const { id, ...request } = skipped.request;
  assert.deepEqual(request, {
    source: "prometheus",
    job: "a",
    selector: "",
    from: 4_000,
    to: 9_000,
    priority: "high",
    reason: "restart",
    requestedBy: "poller, job a",
    requestedAt: 10_000,
  });
  assert.match(id, /^[0-9a-f]{16}$/);
  assert.deepEqual(
    skipped.messages.map(({ topic, key, timestamp }) => ({ topic, key, timestamp })),
    [
      { topic: "backfill", key: id, timestamp: 10_000 },
      { topic: "state", key: "prometheus/a", timestamp: 10_000 },
    ],
  );
});
