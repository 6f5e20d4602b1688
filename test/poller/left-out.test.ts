import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pino } from "pino";
import { Registry } from "prom-client";
import { type LeftOut, tellLeftOut } from "../../services/poller/left-out.js";
import { type LeftOutCode, leftOutCodes } from "../../services/poller/limits.js";
import { countLeftOut, createPollerMetrics } from "../../services/poller/poller-metrics.js";
import { etlSchema } from "../../services/shared/config-schema.js";
import { createOutage } from "../../services/shared/outage.js";

const { limits } = etlSchema.parse({}).extract;

const nothing: LeftOut = { series: new Map(), samples: 0, isSamplesLimited: false };
const some = (...codes: LeftOutCode[]): LeftOut => ({
  ...nothing,
  series: new Map(codes.map((code, i) => [code, { count: i + 1, example: `up{n="${i}"}` }])),
});

describe("tellLeftOut", () => {
  function fixture() {
    const lines: Record<string, unknown>[] = [];
    const reasons: (string | null)[] = [];
    const logger = pino(
      { level: "info" },
      { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) },
    );
    const outage = createOutage({
      subject: "limits",
      details: { job: "live" },
      logger,
      setReason: (reason) => reasons.push(reason),
      now: () => 0,
    });
    return { lines, reasons, tell: (leftOut: LeftOut) => tellLeftOut(leftOut, limits, outage) };
  }

  it("says once of each code how many, which, what is wrong and what to do, and why the poller is not ready", () => {
    const { lines, reasons, tell } = fixture();
    const all = leftOutCodes.filter((code) => code !== "LIMIT_SAMPLES");
    for (let poll = 0; poll < 3; poll++) tell({ ...some(...all), samples: 7, isSamplesLimited: true });
    assert.deepEqual(
      lines.map(({ event, job, code }) => [event, job, code]),
      leftOutCodes.map((code) => ["limits.failed", "live", code]),
    );
    for (const { msg, action } of lines) {
      assert.match(String(msg), /series left out, such as up|7 samples left out/);
      assert.match(String(action), /\.$/);
    }
    assert.match(reasons.at(-1) ?? "", /^RELABEL_SAME_SERIES: 6 series left out, such as up\{n="5"\}/);
  });

  it("says that it is over when nothing is left out any more, and tells of it anew when it comes back", () => {
    const { lines, reasons, tell } = fixture();
    tell(nothing);
    assert.deepEqual(lines, []);
    tell(some("LIMIT_LABELS"));
    tell(nothing);
    tell(nothing);
    assert.equal(reasons.at(-1), null);
    tell(some("LIMIT_LABELS"));
    assert.deepEqual(
      lines.map(({ event }) => event),
      ["limits.failed", "limits.recovered", "limits.failed"],
    );
  });
});

it("countLeftOut shows what is left out now, and adds samples up", async () => {
  const metrics = createPollerMetrics(new Registry());
  countLeftOut("live", { ...some("LIMIT_LABELS"), samples: 3 }, metrics);
  countLeftOut("live", { ...some("LIMIT_SERIES"), samples: 4 }, metrics);
  const { values } = await metrics.seriesLeftOut.get();
  assert.deepEqual(
    values.filter(({ value }) => value > 0).map(({ labels, value }) => [labels.job, labels.code, value]),
    [["live", "LIMIT_SERIES", 1]],
  );
  assert.equal((await metrics.samplesLeftOut.get()).values[0].value, 7);
});
