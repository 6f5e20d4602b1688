import { join } from "node:path";
import { kafkaRecipes } from "./acquire-kafka.js";
import { influxdbRecipes } from "./acquire-influxdb.js";
import { nodeExporterRecipes } from "./acquire-node-exporter.js";
import { prometheusRecipes } from "./acquire-prometheus.js";
import { registryRecipes } from "./acquire-registry.js";
import { type InstallOptions, type Recipe, installServer, requireTools } from "./install-server.js";
import type { ServerName } from "./server-name.js";
import type { Environment } from "./run-tool.js";

/** Ways to bring each server onto this machine, the best first; none where it is on the PATH already. */
export const recipes = {
  kafka: kafkaRecipes,
  registry: registryRecipes,
  influxdb: influxdbRecipes,
  prometheus: prometheusRecipes,
  "node-exporter": nodeExporterRecipes,
} satisfies Record<ServerName, (environment: Environment) => Recipe[]>;

/** Side by side; one after the other within: Maven's local repository is not made for two Mavens at a time. */
const lanes: readonly (readonly ServerName[])[] = [
  ["influxdb"],
  ["kafka", "registry"],
  ["prometheus", "node-exporter"],
];

export interface AcquireOptions {
  /** stack.home. */
  readonly home: string;
  readonly environment: Environment;
  readonly onProgress: (server: ServerName, detail: string) => void;
  readonly onInstalled: (server: ServerName) => void;
  readonly signal: AbortSignal;
}

/**
 * Brings the servers that are named and not there yet into `<home>/servers`. Rejects with TOOL_MISSING, DISK_FULL or
 * SERVER_BUILD_FAILED of the first that fails, once the others have stopped.
 */
export async function acquireServers(servers: readonly ServerName[], options: AcquireOptions): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const installOptions = (server: ServerName): InstallOptions => ({
    recipes: recipes[server](options.environment),
    serversFolder: join(options.home, "servers"),
    logsFolder: join(options.home, "logs"),
    environment: options.environment,
    onProgress: (detail) => options.onProgress(server, detail),
    signal,
  });
  const wanted = servers.map((server) => ({ server, installation: installOptions(server) }));
  // Told at once, and not after minutes of building something else.
  for (const { installation } of wanted) requireTools(installation);
  await Promise.allSettled(
    lanes.map(async (lane) => {
      for (const { server, installation } of wanted.filter(({ server }) => lane.includes(server))) {
        try {
          if (await installServer(installation)) options.onInstalled(server);
        } catch (error) {
          failed.abort(error);
          throw error;
        }
      }
    }),
  );
  signal.throwIfAborted();
}
