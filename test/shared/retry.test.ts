import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MillraceError } from "../../services/shared/errors.js";
import type { Outage } from "../../services/shared/outage.js";
import { untilDone } from "../../services/shared/retry.js";

function recordedOutage() {
  const told: string[] = [];
  const outage: Outage = {
    failed: (error) => {
      told.push((error as MillraceError).code);
      return error as MillraceError;
    },
    ended: () => told.push("ended"),
    trying: () => {
      told.push("trying");
      return () => told.push("left");
    },
  };
  return { outage, told };
}

const away = () => new MillraceError("INFLUX_UNAVAILABLE", "away");

describe("untilDone", () => {
  it("tries again what may pass, tells of it, and tells when it is over", async () => {
    const { outage, told } = recordedOutage();
    let attempts = 0;
    const result = await untilDone(
      () => (++attempts < 3 ? Promise.reject(away()) : Promise.resolve("done")),
      { outage, signal: new AbortController().signal },
    );
    assert.equal(result, "done");
    assert.deepEqual(told, ["trying", "INFLUX_UNAVAILABLE", "INFLUX_UNAVAILABLE", "left", "ended"]);
  });

  it("throws what will not pass, at once", async () => {
    const { outage, told } = recordedOutage();
    const refused = new MillraceError("INFLUX_UNAUTHORIZED", "no");
    let attempts = 0;
    await assert.rejects(
      untilDone(
        () => {
          attempts++;
          return Promise.reject(refused);
        },
        { outage, signal: new AbortController().signal },
      ),
      refused,
    );
    assert.equal(attempts, 1);
    assert.deepEqual(told, []);
  });

  it("waits at least as long as the other side asks", async () => {
    const { outage } = recordedOutage();
    let attempts = 0;
    const started = performance.now();
    await untilDone(
      () =>
        ++attempts === 1
          ? Promise.reject(new MillraceError("INFLUX_UNAVAILABLE", "limit", { retryAfterMs: 700 }))
          : Promise.resolve(),
      { outage, signal: new AbortController().signal },
    );
    assert.ok(performance.now() - started >= 690);
  });

  it("ends its wait with the signal, but keeps what was done while it aborted", async () => {
    const { outage } = recordedOutage();
    const stop = new AbortController();
    const waiting = untilDone(() => Promise.reject(away()), { outage, signal: stop.signal });
    const reason = new Error("stopping");
    setTimeout(() => stop.abort(reason), 20);
    await assert.rejects(waiting, reason);

    const later = new AbortController();
    const result = await untilDone(
      () => {
        later.abort(reason);
        return Promise.resolve("done");
      },
      { outage, signal: later.signal },
    );
    assert.equal(result, "done");
  });
});
