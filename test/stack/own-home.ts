import {
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseConfig } from "../../services/shared/config.js";
import type { Config } from "../../services/shared/config-schema.js";
import { identityOf } from "../../services/stack/process-identity.js";

/** A stack.home of a test's own, empty but for the runner's programs, with ports of its own for everything. */
export interface OwnHome {
  readonly home: string;
  readonly configFile: string;
  readonly config: Config;
  /** SIGKILL to what still runs there, and the folder goes. */
  readonly remove: () => void;
}

/** The folder's name has a blank: people's home folders do. */
export async function ownHome(): Promise<OwnHome> {
  const home = mkdtempSync(join(tmpdir(), "millrace home-"));
  symlinkSync(resolve(".millrace/servers"), join(home, "servers"));
  const [kafka, controller, registry, influxdb, prometheus, nodeExporter, ...services] =
    await lastingPorts(10);
  const [poller, processor, sink, simulator] = services;
  const text = JSON.stringify({
    extract: { prometheus: { url: `http://127.0.0.1:${prometheus}` } },
    load: {
      influxdb: { url: `http://127.0.0.1:${influxdb}`, token_file: join(home, "secrets/influxdb_token") },
    },
    kafka: { brokers: [`127.0.0.1:${kafka}`] },
    registry: { url: `http://127.0.0.1:${registry}/apis/ccompat/v7` },
    telemetry: { ports: { poller, processor, sink, simulator } },
    stack: {
      home,
      kafka_controller_port: controller,
      node_exporter_port: nodeExporter,
      scrape_interval: "1s",
    },
  });
  const configFile = join(home, "etl_config.json");
  writeFileSync(configFile, text);
  const remove = () => {
    for (const { pid } of processesOf(home)) process.kill(pid, "SIGKILL");
    rmSync(home, { recursive: true, force: true });
  };
  return { home, configFile, config: parseConfig(text, configFile), remove };
}

/** Processes whose command line names the folder: servers, services, `up` itself. */
export function processesOf(folder: string): { pid: number; command: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => identityOf(Number(name)) ?? [])
    .filter(({ command }) => command.includes(folder))
    .map(({ pid, command }) => ({ pid, command: command.replaceAll("\0", " ").trim() }));
}

/** Every port that the configuration has a server or service of ours on. */
export function portsOf({ extract, load, kafka, registry, telemetry, stack }: Config): number[] {
  const urls = [extract.prometheus.url, load.influxdb.url, registry.url, `http://${kafka.brokers[0]}`];
  return [
    ...urls.map((url) => Number(new URL(url).port)),
    ...Object.values(telemetry.ports),
    stack.kafka_controller_port,
    stack.node_exporter_port,
  ];
}

/** Whether a server of ours could listen there. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Addresses that the process listens on, as /proc has them: hexadecimal, `0100007F:2384` is 127.0.0.1:9092. */
export function listeningAddresses(pid: number): string[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        // Closed meanwhile.
        return [];
      }
    }),
  );
  return ["tcp", "tcp6"]
    .flatMap((protocol) => readFileSync(`/proc/${pid}/net/${protocol}`, "utf8").trim().split("\n").slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTEN && inodes.has(fields[9]))
    .map((fields) => fields[1]);
}

const LISTEN = "0A";

/** Free ports below those that the system hands out to clients, so that they are still free at the next start. */
async function lastingPorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}
