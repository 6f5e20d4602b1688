import { normal, randomStream, uniform, type Random } from "../../services/kernels/random.js";
import { serviceNames } from "../../services/simulator/graph.js";
import { createSimulation } from "../../services/simulator/simulation.js";
import { parseExposition, sumOf } from "../simulator/exposition-text.js";

/** Rows of which it is known whether they are anomalies. */
export interface AnomalyTable {
  readonly name: string;
  /** Row by row. */
  readonly values: Float64Array;
  readonly columns: number;
  /** 1 for anomalies. */
  readonly labels: Float64Array;
}

const rowsPerTable = 1440;
const anomalyShare = 0.03;

/** Three tables of different kinds, the same for the same seed. */
export function syntheticTables(seed: number): AnomalyTable[] {
  return Object.entries({ cluster, ring, daily }).map(([name, rowOf]) => {
    const random = randomStream(seed, name, 0);
    const labels = new Float64Array(rowsPerTable);
    const rows = Array.from({ length: rowsPerTable }, (_, i) => {
      labels[i] = random() < anomalyShare ? 1 : 0;
      return rowOf(random, labels[i] === 1, i);
    });
    return { name, values: Float64Array.from(rows.flat()), columns: rows[0].length, labels };
  });
}

/** A correlated normal cluster in uniform noise. */
function cluster(random: Random, isAnomaly: boolean): number[] {
  if (isAnomaly) return [uniform(random, -6, 6), uniform(random, -6, 6)];
  const [x, y] = [normal(random), normal(random)];
  return [x, 0.6 * x + 0.8 * y];
}

/** A ring, and anomalies in its middle and its corners. */
function ring(random: Random, isAnomaly: boolean): number[] {
  const angle = uniform(random, 0, 2 * Math.PI);
  const radius = isAnomaly ? uniform(random, 0, 1) * (random() < 0.5 ? 2 : 8) : 5 + 0.4 * normal(random);
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** A day every minute that drifts, with spikes: hour of the day, value. */
function daily(random: Random, isAnomaly: boolean, minute: number): number[] {
  const day = Math.sin((2 * Math.PI * minute) / 1440);
  const spike = isAnomaly ? (random() < 0.5 ? -1 : 1) * uniform(random, 8, 40) : 0;
  return [minute / 60, 100 + 20 * day + 0.01 * minute + 3 * normal(random) + spike];
}

const scrapeSeconds = 15;
const startSecond = 1_760_000_000;

/**
 * What a Prometheus would see of each simulated service, scrape by scrape: requests a second, share of failed ones, mean
 * response time, health, queue length, CPU, memory; and whether a fault is injected into the service. Scrapes that fail, and
 * those of services that are down, have no row.
 */
export async function simulatedTables(seed: number, hours: number): Promise<AnomalyTable[]> {
  const { registry, advanceTo } = createSimulation({ seed, faultRate: 40, startSecond });
  const rows = serviceNames.map((): number[][] => []);
  const labels = serviceNames.map((): number[] => []);
  let before = new Map<string, number>();
  for (let second = startSecond; second < startSecond + hours * 3600; second += scrapeSeconds) {
    advanceTo(second);
    const page = parseExposition(await registry.metrics());
    if (sumOf(page, "fault_injection_active", 'service="all"') > 0) continue;
    for (const [s, service] of serviceNames.entries()) {
      const row = rowOf(before, page, service);
      if (!row.every((value) => Number.isFinite(value))) continue;
      rows[s].push(row);
      labels[s].push(sumOf(page, "fault_injection_active", `service="${service}"`) > 0 ? 1 : 0);
    }
    before = page;
  }
  return serviceNames.map((name, s) => ({
    name,
    values: Float64Array.from(rows[s].flat()),
    columns: rows[s][0].length,
    labels: Float64Array.from(labels[s]),
  }));
}

function rowOf(before: Map<string, number>, page: Map<string, number>, service: string): number[] {
  const label = `service="${service}"`;
  const gained = (metric: string, labels = label): number => {
    const [earlier, later] = [sumOf(before, metric, labels), sumOf(page, metric, labels)];
    return later < earlier ? later : later - earlier;
  };
  const requests = gained("application_requests_total");
  const failed = [500, 502, 503, 504].reduce(
    (sum, code) =>
      sum +
      gained("application_requests_total", `${label},method="GET",code="${code}"`) +
      gained("application_requests_total", `${label},method="POST",code="${code}"`),
    0,
  );
  const gauges = [
    "service_health_score",
    "application_queue_length",
    "application_cpu_usage_percent",
    "application_memory_usage_percent",
  ];
  return [
    requests / scrapeSeconds,
    failed / requests,
    gained("application_response_time_seconds_sum") / requests,
    ...gauges.map((gauge) => page.get(`${gauge}{${label}}`) ?? NaN),
  ];
}
