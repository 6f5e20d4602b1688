import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Work, goesOn, knownSourceGap, nextWork } from "../../../services/poller/backfill/next-work.js";
import { type BackfillStatus, backfillPriorities } from "../../../services/shared/backfill-request.js";
import { statusOf } from "./requests.js";

const until = (watermark: number) => () => watermark;

function text({ job, selector, priority, from, to, members }: Work): string {
  return `${job} ${selector} ${priority} ${from}-${to} ${members.map(({ request }) => request.id).join("+")}`;
}

describe("nextWork", () => {
  it("merges what overlaps or touches, of the same job, selector and priority only", () => {
    const works = nextWork(
      [
        statusOf({ id: "c", from: 20, to: 30 }),
        statusOf({ id: "a", from: 0, to: 10 }),
        statusOf({ id: "b", from: 10, to: 20 }),
        statusOf({ id: "d", from: 31, to: 40 }),
        statusOf({ id: "e", from: 5, to: 15, selector: "load" }),
        statusOf({ id: "f", from: 5, to: 15, job: "b" }),
        statusOf({ id: "g", from: 6, to: 15, priority: "high" }),
      ],
      until(1_000),
    );
    assert.deepEqual(works.map(text), [
      "a  high 6-15 g",
      "a  normal 0-30 a+b+c",
      "a load normal 5-15 e",
      "b  normal 5-15 f",
      "a  normal 31-40 d",
    ]);
  });

  it("serves nothing that is done, cancelled, or newer than the job's watermark", () => {
    const statuses = [
      statusOf({ id: "begun", from: 0, to: 100 }, { healedUntil: 30 }),
      statusOf({ id: "done", from: 0, to: 100 }, { state: "healed", healedUntil: 100 }),
      { ...statusOf({ id: "cancelled" }), cancelled: true },
      statusOf({ id: "newer", from: 60, to: 100 }),
      statusOf({ id: "no watermark", job: "b" }),
    ];
    const works = nextWork(statuses, (job) => (job === "a" ? 60 : undefined));
    assert.deepEqual(works.map(text), ["a  normal 30-60 begun"]);
  });

  it("covers exactly what is asked for, in parts that do not touch, the most urgent and oldest first", () => {
    const status = fc
      .record({
        id: fc.uuid(),
        selector: fc.constantFrom("", "load"),
        priority: fc.constantFrom(...backfillPriorities),
        from: fc.integer({ min: 0, max: 60 }),
        length: fc.integer({ min: 1, max: 20 }),
        done: fc.option(fc.integer({ min: 0, max: 20 })),
      })
      .map(({ from, length, done, ...request }) =>
        statusOf(
          { ...request, from, to: from + length },
          done === null ? null : { healedUntil: from + done },
        ),
      );
    fc.assert(
      fc.property(
        fc.array(status, { maxLength: 12 }),
        fc.integer({ min: 0, max: 80 }),
        (statuses, watermark) => {
          const works = nextWork(statuses, until(watermark));
          // Millisecond by millisecond: who asks for it.
          for (const priority of backfillPriorities)
            for (const selector of ["", "load"])
              for (let ms = 1; ms <= 80; ms++) {
                const asked = statuses.some(
                  ({ request, progress }) =>
                    request.priority === priority &&
                    request.selector === selector &&
                    ms > Math.max(request.from, progress?.healedUntil ?? 0) &&
                    ms <= Math.min(request.to, watermark),
                );
                const served = works.filter(
                  (work) =>
                    work.priority === priority &&
                    work.selector === selector &&
                    ms > work.from &&
                    ms <= work.to,
                );
                assert.equal(served.length, asked ? 1 : 0);
              }
          works.slice(1).forEach((work, i) => {
            const before = works[i];
            const [now, then] = [work, before].map((w) => backfillPriorities.indexOf(w.priority));
            assert.ok(now < then || (now === then && work.from >= before.from));
            if (now === then && work.selector === before.selector) assert.ok(work.from > before.to);
          });
          assert.deepEqual(nextWork([...statuses].reverse(), until(watermark)).map(text), works.map(text));
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });
});

describe("goesOn", () => {
  const statuses = (healedUntil: number): BackfillStatus[] => [
    statusOf({ id: "a", from: 0, to: 50 }, { healedUntil: Math.min(healedUntil, 50) }),
    statusOf({ id: "b", from: 40, to: 100 }, healedUntil > 40 ? { healedUntil } : null),
  ];
  const [work] = nextWork(statuses(0), until(90));

  it("is so while the same requests are left, whatever the watermark is by now", () => {
    assert.ok(goesOn(work, 30, nextWork(statuses(30), until(95))[0]));
    assert.ok(goesOn(work, 60, nextWork(statuses(60), until(95))[0]));
  });

  it("is not where another request came to it, one was cancelled, or something is more urgent", () => {
    const next = (more: BackfillStatus[]) => nextWork(more, until(95))[0];
    assert.ok(!goesOn(work, 30, next([...statuses(30), statusOf({ id: "c", from: 30, to: 60 })])));
    assert.ok(!goesOn(work, 30, next([statuses(30)[0], { ...statuses(30)[1], cancelled: true }])));
    assert.ok(!goesOn(work, 30, next([...statuses(30), statusOf({ id: "c", from: 30, priority: "high" })])));
    assert.ok(!goesOn(work, 30, undefined));
  });
});

describe("knownSourceGap", () => {
  const gap = statusOf(
    { id: "gap", from: 10, to: 50 },
    { state: "unhealable", code: "BACKFILL_TARGET_DOWN" },
  );
  const find = (request: Parameters<typeof statusOf>[0]) =>
    knownSourceGap(statusOf({ reason: "sink_gap", from: 20, to: 40, ...request }).request, [gap]);

  it("is the one that covers what a program asks for again", () => {
    assert.equal(find({}), gap.progress);
    assert.equal(find({ from: 10, to: 50 }), gap.progress);
  });

  it("is none where something else is asked, or a person asks", () => {
    for (const other of [
      { from: 9 },
      { to: 51 },
      { selector: "load" },
      { job: "b" },
      { source: "other" },
      { reason: "operator" },
    ] as const)
      assert.equal(find(other), undefined, JSON.stringify(other));
  });
});
