import { readFileSync } from "node:fs";
import { parseConfig } from "../../services/shared/config.js";
import { type FaultyHttp, openFaultyHttp, passThrough } from "./faulty-http.js";
import { type FaultyTcp, openFaultyTcp } from "./faulty-tcp.js";

/** The test runner's servers, each behind something that can do faults. */
export interface FaultyServers {
  readonly prometheus: FaultyHttp;
  readonly registry: FaultyTcp;
  readonly influxdb: FaultyTcp;
  /** Ends all faults. */
  readonly heal: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function openFaultyServers(): Promise<FaultyServers> {
  const file = process.env["MILLRACE_TEST_CONFIG"]!;
  const { extract, registry, load } = parseConfig(readFileSync(file, "utf8"), file);
  const servers = {
    prometheus: await openFaultyHttp(extract.prometheus.url),
    registry: await openFaultyTcp(registry.url),
    influxdb: await openFaultyTcp(load.influxdb.url),
  };
  return {
    ...servers,
    heal: async () => {
      servers.prometheus.set(passThrough);
      await Promise.all([servers.registry.comeBack(), servers.influxdb.comeBack()]);
    },
    close: async () => {
      await Promise.all(Object.values(servers).map((server) => server.close()));
    },
  };
}
