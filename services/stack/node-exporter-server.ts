import { join } from "node:path";
import { findNodeExporter } from "./acquire-node-exporter.js";
import { addressText, probeHttp } from "./probe.js";
import type { ServerDefinition } from "./server-definition.js";

export const nodeExporterServer: ServerDefinition = {
  name: "node-exporter",
  addressKey: "stack.node_exporter_port",
  address: ({ stack }) => ({ host: "127.0.0.1", port: stack.node_exporter_port }),
  morePorts: () => [],
  needs: [],
  probe: (config) => {
    const address = nodeExporterServer.address(config);
    return probeHttp(`http://${addressText(address)}/metrics`, address, (status, body) =>
      status === 200 && body.includes("node_exporter_build_info") ? "ready" : "other",
    );
  },
  prepareLaunch: (config, folders, environment) => {
    const address = addressText(nodeExporterServer.address(config));
    return Promise.resolve({
      command: findNodeExporter(environment) ?? join(folders.program, "node_exporter"),
      args: [
        `--web.listen-address=${address}`,
        "--log.level=warn",
        // Debian switches these on; without systemd and its folder each fails at every scrape.
        "--no-collector.systemd",
        "--no-collector.textfile",
      ],
      cwd: folders.data,
      environment,
    });
  },
};
