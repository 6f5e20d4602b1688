import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  afterChunk,
  afterFailure,
  outcomeUnread,
  withoutTooOld,
} from "../../../services/poller/backfill/progress.js";
import { progressOf, statusOf } from "./requests.js";

const chunk = (from: number, to: number, over: object = {}) => ({
  window: { from, to },
  found: 10,
  sent: 4,
  gaps: [],
  ...over,
});

describe("afterChunk", () => {
  it("adds up what was found and sent, and is healed with the last chunk", () => {
    const first = afterChunk(statusOf(), chunk(0, 400), 7);
    assert.deepEqual(first, progressOf({ healedUntil: 400, found: 10, sent: 4, updatedAt: 7 }));
    const last = afterChunk({ ...statusOf(), progress: first }, chunk(400, 1_000), 8);
    assert.deepEqual(
      last,
      progressOf({ state: "healed", healedUntil: 1_000, found: 20, sent: 8, updatedAt: 8 }),
    );
  });

  it("is unhealable where the source has nothing: its targets were down, or it knows nothing of them", () => {
    const none = { found: 0, sent: 0 };
    const gaps = [{ target: "t", from: -50, to: 300 }];
    const down = afterChunk(statusOf(), chunk(0, 1_000, { ...none, gaps }), 7);
    assert.deepEqual([down.state, down.code, down.downMs], ["unhealable", "BACKFILL_TARGET_DOWN", 300]);
    assert.deepEqual(down.sourceGaps, [{ target: "t", from: 0, to: 300 }]);
    const empty = afterChunk(statusOf(), chunk(0, 1_000, none), 7);
    assert.deepEqual([empty.state, empty.code], ["unhealable", "BACKFILL_NO_SAMPLES"]);
  });

  it("joins a gap of the source across chunks", () => {
    const gaps = [
      { target: "t", from: 100, to: 700 },
      { target: "u", from: 350, to: 450 },
    ];
    const first = afterChunk(statusOf(), chunk(0, 400, { gaps }), 7);
    const last = afterChunk({ ...statusOf(), progress: first }, chunk(400, 1_000, { gaps }), 8);
    assert.deepEqual([last.state, last.sourceGaps, last.downMs], ["healed", gaps, 700]);
  });

  it("keeps a hundred gaps, and counts all", () => {
    const gaps = Array.from({ length: 150 }, (_, i) => ({ target: `t${i}`, from: 0, to: 10 }));
    const { sourceGaps, downMs } = afterChunk(statusOf(), chunk(0, 1_000, { gaps }), 7);
    assert.deepEqual([sourceGaps.length, downMs], [100, 1_500]);
  });
});

describe("withoutTooOld", () => {
  it("leaves out what Kafka might delete, and says so in the end", () => {
    const progress = withoutTooOld(statusOf(), 300, 7);
    assert.deepEqual([progress.state, progress.healedUntil], ["healing", 300]);
    const last = afterChunk({ ...statusOf(), progress }, chunk(300, 1_000), 8);
    assert.deepEqual([last.state, last.code, last.sent], ["unhealable", "BACKFILL_TOO_OLD", 4]);
    assert.match(last.message, /older than 1970-01-01T00:00:00.300Z/);
  });

  it("is the end where all is too old", () => {
    const { state, healedUntil } = withoutTooOld(statusOf(), 1_000, 7);
    assert.deepEqual([state, healedUntil], ["unhealable", 1_000]);
  });
});

it("keeps what was done where it failed", () => {
  const status = statusOf({}, { healedUntil: 500, found: 3, sent: 2 });
  const failed = afterFailure(status, { code: "PROM_QUERY_REFUSED", message: "No." }, 9);
  assert.deepEqual(
    failed,
    progressOf({
      state: "failed",
      healedUntil: 500,
      found: 3,
      sent: 2,
      code: "PROM_QUERY_REFUSED",
      message: "No.",
      updatedAt: 9,
    }),
  );
});

describe("outcomeUnread", () => {
  const settle = (...[status, all = []]: [ReturnType<typeof statusOf>, ReturnType<typeof statusOf>[]?]) =>
    outcomeUnread(status, { jobs: new Map([["a", "prometheus"]]), all }, 9);

  it("is none of what is to be read, or has its outcome", () => {
    assert.equal(settle(statusOf()), null);
    assert.equal(settle(statusOf({ selector: 'load{a="b"}' })), null);
    assert.equal(settle({ ...statusOf({}, { state: "healed" }), cancelled: true }), null);
  });

  it("is cancelled, with what was done", () => {
    const settled = settle({ ...statusOf({}, { healedUntil: 500, sent: 2 }), cancelled: true });
    assert.deepEqual(settled, progressOf({ state: "cancelled", healedUntil: 500, sent: 2, updatedAt: 9 }));
  });

  it("is failed where nobody could serve it", () => {
    for (const [wrong, words] of [
      [{ job: "b" }, 'There is no job "b".'],
      [{ source: "other" }, 'The job "a" reads the source "prometheus", not "other".'],
      [{ from: 5, to: 5 }, "The range from 5 to 5 is empty."],
      [{ selector: "rate(load[5m])" }, "a function"],
    ] as const) {
      const settled = settle(statusOf(wrong));
      assert.deepEqual([settled?.state, settled?.code], ["failed", "BACKFILL_REFUSED"]);
      assert.ok(settled!.message.includes(words), settled!.message);
    }
  });

  it("is a known gap of the source, not asked for again", () => {
    const gap = statusOf(
      { id: "gap" },
      {
        state: "unhealable",
        code: "BACKFILL_TARGET_DOWN",
        message: "Down.",
        sourceGaps: [{ target: "t", from: 0, to: 800 }],
      },
    );
    const settled = settle(statusOf({ id: "again", reason: "sink_gap", from: 200, to: 900 }), [gap]);
    assert.deepEqual(
      [settled?.state, settled?.code, settled?.sourceGaps, settled?.downMs],
      ["unhealable", "BACKFILL_TARGET_DOWN", [{ target: "t", from: 200, to: 800 }], 600],
    );
  });
});
