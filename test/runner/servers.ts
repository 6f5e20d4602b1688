import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseConfig } from "../../services/shared/config.js";
import { errorLine } from "../../services/shared/errors.js";
import { acquireServers } from "../../services/stack/acquire.js";
import { rememberProcess, rememberedProcess, stopLeftover } from "../../services/stack/process-identity.js";
import { serverNames, serverTitles } from "../../services/stack/server-name.js";
import { pidFile, startServers } from "../../services/stack/servers.js";
import { freePorts } from "../stack/servers-for-tests.js";
import { openProgress } from "./progress.js";

const HOME = resolve(".millrace");
const TEST_HOME = /^test-[0-9a-f]{8}$/;

/**
 * Acquires the servers where they are missing, runs all of them on free ports with data that is removed afterwards, and
 * tells the test processes where they are by MILLRACE_TEST_CONFIG.
 */
export async function withServers(
  print: (line: string) => void,
  signal: AbortSignal,
  use: () => Promise<void>,
): Promise<void> {
  const { elapsed, tell } = openProgress(print);
  try {
    await acquireServers(serverNames, {
      home: HOME,
      environment: process.env,
      signal,
      onProgress: (server, detail) => tell(`${serverTitles[server]}: ${detail.slice(0, 100)}`),
      onInstalled: (server) => print(`  ${elapsed()} ${serverTitles[server]} installed`),
    });
    const home = join(HOME, `test-${randomBytes(4).toString("hex")}`);
    mkdirSync(home);
    try {
      rememberProcess(pidFile(home, "runner"), process.pid);
      symlinkSync(join(HOME, "servers"), join(home, "servers"));
      const file = join(home, "etl_config.json");
      const text = JSON.stringify(await configOf(home));
      writeFileSync(file, text);
      const config = parseConfig(text, file);
      const servers = await startServers(config, serverNames, {
        environment: process.env,
        onEvent: () => undefined,
        signal,
      });
      print(`✔ servers started (${elapsed()})`);
      process.env["MILLRACE_TEST_CONFIG"] = file;
      try {
        await use();
      } finally {
        await servers.stop();
        print("✔ servers stopped");
      }
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  } catch (error) {
    throw signal.aborted ? error : new Error(errorLine(error), { cause: error });
  }
}

async function configOf(home: string) {
  const [kafka, controller, registry, influxdb, prometheus, nodeExporter, ...services] = await freePorts(10);
  const [poller, processor, sink, simulator] = services;
  return {
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
  };
}

/** Servers and data of runs that were killed. */
export async function removeAbandonedServers(): Promise<void> {
  mkdirSync(HOME, { recursive: true });
  for (const name of readdirSync(HOME).filter((entry) => TEST_HOME.test(entry))) {
    const home = join(HOME, name);
    if (rememberedProcess(pidFile(home, "runner")) !== null) continue;
    await Promise.all(serverNames.map((server) => stopLeftover(pidFile(home, server))));
    rmSync(home, { recursive: true, force: true });
  }
}
