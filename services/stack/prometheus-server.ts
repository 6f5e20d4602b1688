import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "./find-tool.js";
import { addressOfUrl, addressText, bindHost, jsonOf, probeHttp, wantsCredentials } from "./probe.js";
import { prometheusConfig } from "./prometheus-config.js";
import type { ServerDefinition } from "./server-definition.js";

export const prometheusServer: ServerDefinition = {
  name: "prometheus",
  addressKey: "extract.prometheus.url",
  address: ({ extract }) => addressOfUrl(extract.prometheus.url),
  morePorts: () => [],
  needs: [],
  probe: (config) =>
    probeHttp(
      `${config.extract.prometheus.url.replace(/\/$/, "")}/api/v1/query?query=1`,
      prometheusServer.address(config),
      (status, body) => {
        if (wantsCredentials(status)) return "ready";
        // "Service Unavailable", in words, while it reads what it has.
        if (status === 503) return "starting";
        const answer = jsonOf(body) as { status?: unknown } | null | undefined;
        return answer?.status === "success" ? "ready" : "other";
      },
    ),
  prepareLaunch: (config, folders, environment) => {
    const file = join(folders.config, "prometheus.yml");
    writeFileSync(file, prometheusConfig(config));
    const { host, port } = prometheusServer.address(config);
    const args = [
      `--config.file=${file}`,
      `--storage.tsdb.path=${folders.data}`,
      `--web.listen-address=${addressText({ host: bindHost(host), port })}`,
      "--log.level=warn",
    ];
    const command = findProgram("prometheus", environment) ?? join(folders.program, "prometheus");
    return Promise.resolve({ command, args, cwd: folders.data, environment });
  },
};
