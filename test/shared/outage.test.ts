import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Writable } from "node:stream";
import { pino } from "pino";
import { createOutage } from "../../services/shared/outage.js";
import { MillraceError } from "../../services/shared/errors.js";

describe("createOutage", () => {
  it("tells each code once, counts the rest, and tells the recovery", () => {
    const lines: { level: number; event: string; code?: string; failures?: number; lastedMs?: number }[] = [];
    const sink = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        lines.push(JSON.parse(chunk.toString()) as (typeof lines)[number]);
        done();
      },
    });
    const reasons: (string | null)[] = [];
    let time = 0;
    const outage = createOutage({
      subject: "poll",
      details: { job: "live" },
      logger: pino({ level: "info" }, sink),
      setReason: (reason) => reasons.push(reason),
      now: () => time,
    });
    outage.ended();
    for (const code of ["PROM_TIMEOUT", "PROM_TIMEOUT", "PROM_UNAUTHORIZED", "PROM_TIMEOUT"] as const) {
      outage.failed(new MillraceError(code, "Words."));
      time += 1_000;
    }
    outage.ended();
    outage.ended();
    outage.failed(new MillraceError("PROM_TIMEOUT", "Words."));

    const told = lines.map(({ level, event, code, failures, lastedMs }) => [
      level,
      event,
      code,
      failures,
      lastedMs,
    ]);
    assert.deepEqual(told, [
      [40, "poll.failed", "PROM_TIMEOUT", 1, undefined],
      [50, "poll.failed", "PROM_UNAUTHORIZED", 3, undefined],
      [30, "poll.recovered", undefined, 4, 4_000],
      [40, "poll.failed", "PROM_TIMEOUT", 1, undefined],
    ]);
    assert.deepEqual(reasons.slice(0, 2), [null, "PROM_TIMEOUT: Words."]);
    assert.equal(reasons[5], null);
  });

  it("lasts while anybody still tries in vain, whatever works for others, and stays untold when they give up", () => {
    const events: string[] = [];
    const sink = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        events.push((JSON.parse(chunk.toString()) as { event: string }).event);
        done();
      },
    });
    let reason: string | null = null;
    const outage = createOutage({
      subject: "registry",
      details: {},
      logger: pino({ level: "info" }, sink),
      setReason: (next) => (reason = next),
      now: () => 0,
    });
    const away = new MillraceError("REGISTRY_UNAVAILABLE", "Away.");
    const leave = [outage.trying(), outage.trying()];
    outage.failed(away);
    outage.ended();
    leave[0]();
    outage.failed(away);
    outage.ended();
    assert.equal(reason, "REGISTRY_UNAVAILABLE: Away.");
    assert.deepEqual(events, ["registry.failed"]);
    leave[1]();
    assert.equal(reason, null);
    assert.deepEqual(events, ["registry.failed"]);
    outage.ended();
    assert.deepEqual(events, ["registry.failed", "registry.recovered"]);
  });
});
