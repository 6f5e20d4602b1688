import assert from "node:assert/strict";
import { it } from "node:test";
import { listView, outcomeNotes, progressLine, shownBackfill } from "../../services/cli/backfill-view.js";
import { noPaint } from "../../services/cli/terminal.js";
import { statusOf } from "../poller/backfill/requests.js";

const HOUR = 3_600_000;
const range = { id: "1f2e3d4c", job: "live", from: 0, to: 10 * HOUR };

it("tells how far a request is, how fast, and how long it will take", () => {
  const earlier = statusOf(range, { healedUntil: 0, updatedAt: 0 });
  const later = statusOf(range, { healedUntil: 2.5 * HOUR, found: 250_000, sent: 9, updatedAt: 10_000 });
  const shown = shownBackfill(later, earlier);
  assert.deepEqual(
    [shown.share, shown.samplesPerSecond, shown.etaSeconds, shown.state],
    [0.25, 25_000, 30, "healing"],
  );
  assert.equal(
    progressLine(shown, noPaint),
    "1f2e3d4c live ██████░░░░░░░░░░░░░░░░░░  25 %  25,000 samples/s  ETA 30 s  healing",
  );
});

it("knows no rate before there are two readings, or where nothing moves", () => {
  const healing = statusOf(range, { healedUntil: HOUR });
  for (const [status, earlier] of [
    [statusOf(range), null],
    [healing, null],
    [healing, statusOf(range)],
    [healing, healing],
  ] as const) {
    const { samplesPerSecond, etaSeconds } = shownBackfill(status, earlier);
    assert.deepEqual([samplesPerSecond, etaSeconds], [null, null]);
  }
  assert.match(
    progressLine(shownBackfill(statusOf(range), null), noPaint),
    /0 % {2}— samples\/s {2}ETA — {2}requested$/,
  );
});

it("tells what came of it, and what the source has nothing of", () => {
  const shown = shownBackfill(
    statusOf(range, {
      state: "healed",
      healedUntil: 10 * HOUR,
      found: 1_000,
      sent: 10,
      sourceGaps: [{ target: '{job="a"}', from: 0, to: 60_000 }],
      downMs: 60_000,
    }),
    null,
  );
  assert.match(progressLine(shown, noPaint), /100 % {2}10 of 1,000 samples sent {2}healed$/);
  assert.deepEqual(outcomeNotes(shown), [
    '  {job="a"} was down from 1970-01-01T00:00:00.000Z to 1970-01-01T00:01:00.000Z: nothing is there to fetch.',
  ]);
  const failed = shownBackfill(statusOf(range, { state: "failed", code: "CODE", message: "Words." }), null);
  assert.deepEqual(outcomeNotes(failed), ["  CODE: Words."]);
  assert.deepEqual(
    listView([shown, failed]).map((line) => line.replace(/ {2,}/g, " ")),
    [
      "ID JOB FROM TO PRIORITY DONE FOUND SENT STATE MATCH",
      "1f2e3d4c live 1970-01-01T00:00:00.000Z 1970-01-01T10:00:00.000Z normal 100 % 1,000 10 healed",
      "1f2e3d4c live 1970-01-01T00:00:00.000Z 1970-01-01T10:00:00.000Z normal 0 % 0 0 failed (CODE)",
    ],
  );
  assert.deepEqual(listView([]), ["There are no requests."]);
});
