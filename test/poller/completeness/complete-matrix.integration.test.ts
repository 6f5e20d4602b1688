import assert from "node:assert/strict";
import { resolve } from "node:path";
import { describe, it } from "node:test";
import { createComplete } from "../../../services/poller/completeness/complete-matrix.js";
import { connectPrometheus } from "../../../services/poller/prometheus-client.js";
import { etlSchema } from "../../../services/shared/config-schema.js";
import { findPrometheus3, openPrometheus } from "../../oracle/prometheus.js";
import type { WrittenSeries } from "../../oracle/remote-write.js";

const { signal } = new AbortController();
const FROM = 1_760_000_000_000;
const window = { from: FROM, to: FROM + 60_000 };
const METRICS = 250;

/** More metrics than one query counts, the same but for their names; samples on the edges; stale markers, which are no samples. */
const written: WrittenSeries[] = Array.from({ length: METRICS }, (_, i) => {
  const timestamps = Float64Array.from({ length: 70 }, (_, k) => FROM - 1_000 + k * 1_000 + (i % 3));
  return {
    labels: { __name__: `metric_${i}`, instance: 'a"\\\n', job: "j" },
    timestamps,
    values: timestamps.map((_, k) => i * 1_000 + k),
    stale: Uint8Array.from(timestamps, (_, k) => (k % 10 === 7 ? 1 : 0)),
  };
});

const programs = [
  ["Debian's Prometheus", resolve(".millrace/servers/prometheus/prometheus")],
  ["Prometheus 3", findPrometheus3()],
] as const;

for (const [name, program] of programs) {
  describe(`completeness by ${name}`, { skip: program === null }, () => {
    it("counts what it shows, and finds what an answer lacked", async () => {
      const prometheus = await openPrometheus(program!, written);
      const { extract } = etlSchema.parse({ extract: { prometheus: { url: prometheus.url } } });
      const client = connectPrometheus(extract.prometheus, { now: Date.now });
      try {
        const complete = createComplete(client);
        for (const selector of ["metric_7", '{job="j"}', '{__name__=~"metric_.*",instance!="b"}']) {
          const whole = await client.samples(selector, window, signal);
          const shown = whole.series.reduce((sum, { timestamps }) => sum + timestamps.length, 0);
          assert.equal(shown, (selector === "metric_7" ? 1 : METRICS) * 54);
          const untouched = await complete(selector, whole, window, signal);
          assert.deepEqual([untouched.missing, untouched.recovered], [0, 0], selector);
          assert.equal(untouched.matrix, whole);

          const lacking = {
            ...whole,
            series: whole.series.flatMap((one, i) =>
              i % 2 === 0 && whole.series.length > 1
                ? []
                : [{ ...one, timestamps: one.timestamps.slice(3), values: one.values.slice(3) }],
            ),
          };
          const completed = await complete(selector, lacking, window, signal);
          assert.equal(completed.missing, 0);
          const left = lacking.series.reduce((sum, { timestamps }) => sum + timestamps.length, 0);
          assert.equal(completed.recovered, shown - left);
          const byName = (series: typeof whole.series) =>
            series.toSorted((a, b) => (a.labels["__name__"] < b.labels["__name__"] ? -1 : 1));
          assert.deepEqual(byName(completed.matrix.series), byName(whole.series));
        }
      } finally {
        await client.close();
        await prometheus.close();
      }
    });
  });
}
