import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { DAY_FILE, type RecordedDay } from "./node-exporter-day.js";

/**
 * Writes test/oracle/node-exporter-day.json.gz from a Prometheus that scrapes a node exporter:
 * `node dist/test/oracle/record-day.js --url http://127.0.0.1:9090 --from 2026-01-31T00:00:00Z --to 2026-02-01T00:00:00Z`,
 * the samples of (from, to]. `--disk` and `--network` name devices that do something.
 */
const { values: options } = parseArgs({
  options: {
    url: { type: "string" },
    from: { type: "string" },
    to: { type: "string" },
    disk: { type: "string", default: "vda" },
    network: { type: "string", default: "eth0" },
  },
});

/** Slow and fast gauges, smooth and bursty counters, large and small numbers. */
const selectors: readonly (readonly [selector: string, type: "gauge" | "counter"])[] = [
  ["node_load1", "gauge"],
  ["node_procs_running", "gauge"],
  ["node_memory_MemAvailable_bytes", "gauge"],
  ["node_memory_Dirty_bytes", "gauge"],
  ['node_cpu_seconds_total{cpu="0",mode="idle"}', "counter"],
  ['node_cpu_seconds_total{cpu="1",mode="system"}', "counter"],
  [`node_disk_written_bytes_total{device="${options.disk}"}`, "counter"],
  [`node_disk_io_time_seconds_total{device="${options.disk}"}`, "counter"],
  [`node_network_receive_bytes_total{device="${options.network}"}`, "counter"],
  [`node_network_transmit_packets_total{device="${options.network}"}`, "counter"],
  ["node_context_switches_total", "counter"],
  ["node_vmstat_pgfault", "counter"],
];

interface Answer {
  readonly data: { readonly result: readonly { readonly values: readonly (readonly [number, string])[] }[] };
}

async function samplesOf(url: string, selector: string, fromMs: number, toMs: number) {
  const query = new URLSearchParams({ query: `${selector}[${toMs - fromMs}ms]`, time: `${toMs / 1000}` });
  const response = await fetch(`${url}/api/v1/query?${query.toString()}`);
  const text = await response.text();
  if (!response.ok) throw new Error(`${selector}: ${text}`);
  const { result } = (JSON.parse(text) as Answer).data;
  if (result.length !== 1) throw new Error(`${selector}: ${result.length} series`);
  // Prometheus before 3.0 counts the left edge in.
  return result[0].values
    .map(([seconds, value]) => ({ ms: Math.round(seconds * 1000), value }))
    .filter(({ ms }) => ms > fromMs);
}

async function record(url: string, fromMs: number, toMs: number): Promise<RecordedDay> {
  const series: RecordedDay["series"][number][] = [];
  let timestamps: number[] | null = null;
  for (const [name, type] of selectors) {
    const samples = await samplesOf(url, name, fromMs, toMs);
    timestamps ??= samples.map(({ ms }) => ms);
    if (timestamps.length !== samples.length || samples.some(({ ms }, i) => ms !== timestamps?.[i]))
      throw new Error(`${name}: its timestamps are not those of ${selectors[0][0]}`);
    series.push({ name, type, values: samples.map(({ value }) => value).join(" ") });
  }
  if (timestamps === null || timestamps.length === 0) throw new Error("no samples in that range");
  const [startMs] = timestamps;
  return { startMs, deltasMs: timestamps.slice(1).map((ms, i) => ms - (timestamps[i] ?? 0)), series };
}

const { url, from, to } = options;
if (url === undefined || from === undefined || to === undefined)
  throw new Error("--url, --from and --to are needed");
const day = await record(url.replace(/\/$/, ""), Date.parse(from), Date.parse(to));
const bytes = gzipSync(JSON.stringify(day), { level: 9 });
writeFileSync(DAY_FILE, bytes);
process.stdout.write(
  `${DAY_FILE}: ${day.series.length} series of ${day.deltasMs.length + 1} samples, ${bytes.length} bytes\n`,
);
