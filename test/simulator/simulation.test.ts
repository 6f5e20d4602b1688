import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createExposition } from "../../services/simulator/exposition.js";
import { type Fault, faultsBetween } from "../../services/simulator/faults.js";
import { type SimulatedService, serviceNames } from "../../services/simulator/graph.js";
import { createSimulation } from "../../services/simulator/simulation.js";
import { trafficOf } from "../../services/simulator/traffic.js";
import { parseExposition, sumOf } from "./exposition-text.js";

const NOON = 1_760_097_600;

type Samples = Map<string, number>;

/** A page of each of the seconds, with the given faults. */
async function pages(seconds: number, faults: Fault[] = []): Promise<Samples[]> {
  const { registry, record } = createExposition(1);
  const found: Samples[] = [];
  for (let second = NOON; second < NOON + seconds; second += 1) {
    const active = faults.filter(({ start, end }) => start <= second && second < end);
    record(second, trafficOf(1, second, active), active);
    found.push(parseExposition(await registry.metrics()));
  }
  return found;
}

const fault = (kind: Fault["kind"], service: Fault["service"], start: number, end: number, strength = 1) => ({
  kind,
  service,
  start: NOON + start,
  end: NOON + end,
  strength,
});

const isCounter = (series: string) => /^[a-z_]+_(total|bucket|sum|count)(\{|$)/.test(series);

/** Series of counters whose value fell, or that vanished, from one page to the next. */
function resets(before: Samples, after: Samples): string[] {
  return [...before]
    .filter(([series, value]) => isCounter(series) && !((after.get(series) ?? -1) >= value))
    .map(([series]) => series);
}

/** An upper bound of the p95, from the histogram's growth between two pages. */
function p95(before: Samples, after: Samples, service: SimulatedService): number {
  const count = `application_response_time_seconds_count{service="${service}"}`;
  const total = after.get(count)! - before.get(count)!;
  for (const [series, value] of after) {
    const le = /^application_response_time_seconds_bucket\{le="(.+)",service="(.+)"\}$/.exec(series);
    if (le?.[2] === service && value - before.get(series)! >= 0.95 * total) return Number(le[1]);
  }
  return Infinity;
}

describe("the simulated services' metrics", () => {
  it("have the promised names and labels", async () => {
    const [page] = await pages(1);
    const shapes = new Set([...page.keys()].map((series) => series.replaceAll(/"[^"]*"/g, "")));
    assert.deepEqual(
      [...shapes].sort(),
      [
        "application_cpu_usage_percent{service=}",
        "application_memory_usage_percent{service=}",
        "application_queue_length{service=}",
        "application_requests_total{service=,method=,code=}",
        "application_response_size_bytes_total{service=}",
        "application_response_time_seconds_bucket{le=,service=}",
        "application_response_time_seconds_count{service=}",
        "application_response_time_seconds_sum{service=}",
        "fault_injection_active{service=,fault=}",
        "fault_injection_total{service=,fault=}",
        "service_health_score{service=}",
      ].sort(),
    );
    for (const name of serviceNames) assert.ok(page.has(`service_health_score{service="${name}"}`));
  });

  it("are the same for the same seed, and others for another", async () => {
    const text = async (seed: number) => {
      const simulation = createSimulation({ seed, faultRate: 60, startSecond: NOON });
      simulation.advanceTo(NOON + 600);
      return simulation.registry.metrics();
    };
    assert.equal(await text(1), await text(1));
    assert.notEqual(await text(1), await text(2));
  });

  it("count what the traffic was, and no counter ever falls", async () => {
    const found = await pages(60);
    for (let i = 1; i < found.length; i += 1) assert.deepEqual(resets(found[i - 1], found[i]), []);
    const last = found.at(-1)!;
    for (const name of serviceNames) {
      const answers = Array.from({ length: 60 }, (_, i) => trafficOf(1, NOON + i, [])[name]!).flat();
      const label = `service="${name}"`;
      assert.equal(sumOf(last, "application_requests_total", label), answers.length);
      assert.equal(
        last.get(`application_requests_total{${label},method="POST",code="200"}`),
        answers.filter(({ method, code }) => method === "POST" && code === 200).length,
      );
      const bytes = answers.reduce((sum, answer) => sum + answer.bytes, 0);
      assert.equal(last.get(`application_response_size_bytes_total{${label}}`), bytes);
    }
  });

  it("have histograms that rise with the bound, and end in the number of requests", async () => {
    const last = (await pages(60)).at(-1)!;
    for (const name of serviceNames) {
      const buckets = [...last].filter(
        ([series]) =>
          series.startsWith("application_response_time_seconds_bucket") && series.includes(`"${name}"`),
      );
      const counts = buckets.map(([, count]) => count);
      assert.deepEqual(
        counts,
        counts.toSorted((a, b) => a - b),
      );
      assert.equal(counts.at(-1), sumOf(last, "application_requests_total", `service="${name}"`));
      assert.equal(counts.at(-1), sumOf(last, "application_response_time_seconds_count", `"${name}"`));
      assert.ok(counts[0] < counts.at(-1)!, "the buckets tell slow answers from quick ones");
    }
  });

  it("keep to the ranges of their units", async () => {
    for (const page of await pages(60, [fault("latency", "db", 10, 40, 30)])) {
      for (const [series, value] of page) {
        assert.ok(value >= 0, series);
        if (series.includes("percent")) assert.ok(value <= 100, series);
        if (series.startsWith("service_health_score")) assert.ok(value <= 1, series);
      }
    }
  });
});

describe("faults in the metrics", () => {
  it("latency: p95, queue and health of the service and its callers, for as long as it lasts", async () => {
    const found = await pages(240, [fault("latency", "db", 60, 120, 20)]);
    for (const name of ["db", "payments", "auth", "gateway"] as const) {
      const during = p95(found[59], found[119], name);
      assert.ok(during > p95(found[0], found[59], name), `${name} during`);
      assert.ok(p95(found[129], found[239], name) < during, `${name} after`);
    }
    const health = (second: number) => found[second].get('service_health_score{service="db"}')!;
    assert.ok(health(59) > 0.95 && health(119) < 0.6 && health(239) > 0.95);
    const queue = (from: number) =>
      found
        .slice(from, from + 60)
        .reduce((sum, page) => sum + sumOf(page, "application_queue_length", '"db"'), 0);
    assert.ok(queue(60) > 10 * queue(0));
  });

  it("errors: the share of 5xx of the service and its callers", async () => {
    const found = await pages(120, [fault("errors", "api", 60, 120, 0.5)]);
    const share = (from: number, to: number, name: SimulatedService) => {
      const grown = (code: RegExp) =>
        [...found[to]]
          .filter(
            ([series]) =>
              series.startsWith(`application_requests_total{service="${name}"`) && code.test(series),
          )
          .reduce((sum, [series, value]) => sum + value - found[from].get(series)!, 0);
      return grown(/code="5/) / grown(/./);
    };
    for (const name of ["api", "gateway"] as const) {
      assert.ok(share(0, 59, name) < 0.02, `${name} before`);
      assert.ok(share(59, 119, name) > 0.4, `${name} during`);
    }
    assert.ok(share(59, 119, "auth") < 0.02);
  });

  it("crash: the series vanish, and counters begin again at 0; the truth stays", async () => {
    const found = await pages(90, [fault("crash", "auth", 30, 60)]);
    const ofAuth = (page: Samples) => [...page.keys()].filter((series) => series.includes('"auth"'));
    const truth = ofAuth(found[30]);
    assert.equal(truth.length, 6);
    assert.ok(truth.every((series) => series.startsWith("fault_injection_")));
    assert.ok(ofAuth(found[29]).length > 30);
    assert.deepEqual(ofAuth(found[60]).sort(), ofAuth(found[29]).sort());

    const requests = (second: number) => sumOf(found[second], "application_requests_total", '"auth"');
    assert.equal(requests(60), trafficOf(1, NOON + 60, []).auth!.length);
    assert.ok(requests(29) > requests(60));
    const memory = (second: number) => sumOf(found[second], "application_memory_usage_percent", '"auth"');
    assert.ok(memory(60) < memory(29));

    for (let i = 1; i < found.length; i += 1) {
      const fallen = resets(found[i - 1], found[i]);
      if (i === 30) assert.ok(fallen.length > 0 && fallen.every((series) => series.includes('"auth"')));
      else assert.deepEqual(fallen, []);
    }
  });

  it("the truth is 1 exactly while a fault lasts, and counts each once", async () => {
    const found = await pages(60, [
      fault("errors", "db", 10, 20, 0.5),
      fault("errors", "db", 30, 40, 0.5),
      fault("missing_scrapes", "all", 15, 35),
    ]);
    for (const [second, page] of found.entries()) {
      const active = (service: string, kind: string) =>
        page.get(`fault_injection_active{service="${service}",fault="${kind}"}`);
      assert.equal(
        active("db", "errors"),
        (second >= 10 && second < 20) || (second >= 30 && second < 40) ? 1 : 0,
      );
      assert.equal(active("all", "missing_scrapes"), second >= 15 && second < 35 ? 1 : 0);
      assert.equal(active("db", "latency"), 0);
    }
    const last = found.at(-1)!;
    assert.equal(last.get('fault_injection_total{service="db",fault="errors"}'), 2);
    assert.equal(last.get('fault_injection_total{service="all",fault="missing_scrapes"}'), 1);
    assert.equal(sumOf(last, "fault_injection_total"), 3);
  });
});

describe("createSimulation", () => {
  it("simulates each second once, however often it is asked", async () => {
    const options = { seed: 5, faultRate: 60, startSecond: NOON };
    const often = createSimulation(options);
    for (let second = NOON; second <= NOON + 200; second += 1) {
      often.advanceTo(second);
      often.advanceTo(second - 5);
      often.advanceTo(second);
    }
    const once = createSimulation(options);
    once.advanceTo(NOON + 200);
    assert.equal(await often.registry.metrics(), await once.registry.metrics());
  });

  it("counts every fault of the schedule", async () => {
    const simulation = createSimulation({ seed: 5, faultRate: 120, startSecond: NOON });
    for (let second = NOON; second < NOON + 3600; second += 60) simulation.advanceTo(second);
    const samples = parseExposition(await simulation.registry.metrics());
    const scheduled = faultsBetween(5, 120, NOON, NOON + 3541);
    assert.ok(scheduled.length > 80);
    assert.equal(sumOf(samples, "fault_injection_total"), scheduled.length);
  });

  it("makes up for five minutes at the most", async () => {
    const simulation = createSimulation({ seed: 5, faultRate: 0, startSecond: NOON });
    simulation.advanceTo(NOON + 86_400);
    const gateway = sumOf(
      parseExposition(await simulation.registry.metrics()),
      "application_requests_total",
      '"gateway"',
    );
    assert.ok(gateway > 1000 && gateway < 15_000, `${gateway}`);
  });
});
