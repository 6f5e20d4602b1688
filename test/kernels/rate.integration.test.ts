import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { errorRate } from "../../services/kernels/error-rate.js";
import { type Random, logNormal, randomStream } from "../../services/kernels/random.js";
import { increase, rate } from "../../services/kernels/rate.js";
import { throughput } from "../../services/kernels/throughput.js";
import { firstAfter } from "../../services/kernels/window-bounds.js";
import { openComparison } from "../oracle/comparison.js";
import { nodeExporterDay } from "../oracle/node-exporter-day.js";
import { type Prometheus, findPrometheus3, openPrometheus } from "../oracle/prometheus.js";
import type { WrittenSeries } from "../oracle/remote-write.js";

const startMs = 1_760_000_000_000;
const lengthMs = 5_400_000;
const family = "requests_total";
/** A prime number of milliseconds, so that instants and samples meet in all ways; then on the samples themselves. */
const steps = [
  { fromMs: startMs - 1_000, stepMs: 17_389 },
  { fromMs: startMs, stepMs: 15_000 },
];

const spacings: Record<string, (random: Random) => number> = {
  regular: () => 5_000,
  jittered: (random) => 4_990 + Math.floor(random() * 20),
  irregular: (random) => 1 + Math.floor(random() * 15_000),
  gaps: (random) => (random() < 0.05 ? Math.floor(random() * 400_000) : 0) + 5_000,
};

/** The next of a counter's values. */
const counters: Record<string, (random: Random, value: number) => number> = {
  busy: (random, value) => value + Math.floor(random() * 100),
  seconds: (random, value) => value + random() * 5,
  idle: (random, value) => value + (random() < 0.02 ? 1 : 0),
  restarting: (random, value) =>
    random() < 0.05 ? Math.floor(random() * 3) : value + Math.floor(random() * 9),
  bursts: (random, value) => value + logNormal(random, 1, 3),
  "beyond 2^53": (random, value) => Math.max(value, 2 ** 53) + Math.floor(random() * 1e4),
  huge: (random, value) => value + random() * 1e300,
  tiny: (random, value) => value + Math.floor(random() * 9) * 5e-324,
  "going down": (random, value) => value - random(),
  "not numbers": (random, value) =>
    random() < 0.05
      ? ([NaN, Infinity, -Infinity, -0][Math.floor(random() * 4)] ?? 0)
      : (value || 0) + random(),
};
const withoutSums = ["huge", "not numbers"];

function seriesOf(): WrittenSeries[] {
  const seeded = Object.entries(counters).flatMap(([counter, next]) =>
    Object.entries(spacings).flatMap(([spacing, gap]) =>
      [1, 2, 3].map((seed) => {
        const random = randomStream(seed, `${counter} ${spacing}`, 0);
        const timestamps: number[] = [];
        const values: number[] = [];
        // Some begin later, and at 0, as those of a new process do.
        let value = seed === 1 ? 0 : Math.floor(random() * 1_000);
        for (let ms = startMs + (seed === 3 ? 600_000 : 0); ms < startMs + lengthMs; ms += gap(random)) {
          timestamps.push(ms);
          values.push(value);
          value = next(random, value);
        }
        return {
          labels: {
            __name__: family,
            name: `${counter}, ${spacing}, seed ${seed}`,
            group: withoutSums.includes(counter) ? "" : spacing,
            error: seed === 2 && counter !== "busy" ? "yes" : "no",
          },
          timestamps: Float64Array.from(timestamps),
          values: Float64Array.from(values),
          // A target that goes away now and then.
          stale: Uint8Array.from(values, () => (seed === 3 && random() < 0.05 ? 1 : 0)),
        };
      }),
    ),
  );
  // Moved in time and cut to the others' length.
  const recorded = nodeExporterDay()
    .filter(({ type }) => type === "counter")
    .map(({ name, timestamps, values }) => {
      const moved = timestamps.map((ms) => ms - timestamps[0] + startMs);
      const end = firstAfter(moved, 0, moved.length, startMs + lengthMs);
      return {
        labels: { __name__: family, name, group: "", error: "no" },
        timestamps: moved.slice(0, end),
        values: values.slice(0, end),
      };
    });
  return [...seeded, ...recorded];
}

function instantsOf({ fromMs, stepMs }: (typeof steps)[number]): { toMs: number; instants: number[] } {
  const toMs = startMs + lengthMs + 300_000;
  return {
    toMs,
    instants: Array.from({ length: Math.floor((toMs - fromMs) / stepMs) + 1 }, (_, i) => fromMs + i * stepMs),
  };
}

/** Only stale markers are absent: every other sample counts, a true NaN too. */
function ours(kernel: typeof rate, series: WrittenSeries, atMs: number, windowMs: number): number {
  const { timestamps, values, stale = new Uint8Array(timestamps.length) } = series;
  const first = firstAfter(timestamps, 0, timestamps.length, atMs - windowMs);
  const end = firstAfter(timestamps, 0, timestamps.length, atMs);
  return kernel(timestamps, values, stale, first, end, atMs, windowMs);
}

const program = findPrometheus3();
const missing = " (skipped: there is no Prometheus 3, and no Go to build one)";

describe(`rates${program === null ? missing : ""}`, { skip: program === null }, () => {
  const series = seriesOf();
  let prometheus: Prometheus;
  before(async () => {
    prometheus = await openPrometheus(program!, series);
  });
  after(() => prometheus.close());

  for (const kernel of [rate, increase]) {
    it(`${kernel.name} equals Prometheus's`, async (context) => {
      const comparison = openComparison(kernel.name, `Prometheus 3 ${kernel.name}(x[w])`, 0);
      for (const windowMs of [1_118, 60_000, 90_000, 300_000, 3_600_000]) {
        for (const step of steps) {
          const { toMs, instants } = instantsOf(step);
          const query = `${kernel.name}(${family}[${windowMs}ms])`;
          const answers = await prometheus.ask(query, step.fromMs, toMs, step.stepMs);
          const byName = new Map(answers.map(({ labels, values }) => [labels["name"], values]));
          const nothing = new Float64Array(instants.length).fill(NaN);
          // A second holds no two samples of most series.
          if (windowMs > 60_000) assert.equal(byName.size, series.length, `${query}: series that answered`);
          for (const one of series) {
            const results = instants.map((atMs) => ours(kernel, one, atMs, windowMs));
            const where = `${one.labels["name"]}, ${query} every ${step.stepMs} ms`;
            comparison.compare(results, byName.get(one.labels["name"]) ?? nothing, where);
          }
        }
      }
      comparison.conclude(context);
    });
  }

  it("throughput and error rate equal Prometheus's sums and quotients", async (context) => {
    const sums = openComparison("throughput, request rate", "Prometheus 3 sum(rate(x[w]))");
    const quotients = openComparison("error rate", "Prometheus 3 sum(rate) / sum(rate) * 100");
    for (const windowMs of [60_000, 300_000]) {
      for (const group of Object.keys(spacings)) {
        for (const step of steps) {
          const { toMs, instants } = instantsOf(step);
          const all = series.filter(({ labels }) => labels["group"] === group);
          const errors = all.filter(({ labels }) => labels["error"] === "yes");
          const ratesOf = (members: readonly WrittenSeries[], atMs: number) =>
            Float64Array.from(members, (member) => ours(rate, member, atMs, windowMs));
          const sum = (selector: string) =>
            `sum(rate(${family}{group="${group}"${selector}}[${windowMs}ms]))`;
          const ask = async (query: string) =>
            (await prometheus.ask(query, step.fromMs, toMs, step.stepMs)).at(0)?.values ??
            new Float64Array(instants.length).fill(NaN);
          const where = `${group}, window ${windowMs}, every ${step.stepMs} ms`;
          sums.compare(
            instants.map((atMs) => throughput(ratesOf(all, atMs))),
            await ask(sum("")),
            where,
          );
          quotients.compare(
            instants.map((atMs) => errorRate(ratesOf(errors, atMs), ratesOf(all, atMs))),
            await ask(`(${sum(',error="yes"')} or vector(0)) / ${sum("")} * 100`),
            where,
          );
        }
      }
    }
    sums.conclude(context);
    quotients.conclude(context);
  });
});
