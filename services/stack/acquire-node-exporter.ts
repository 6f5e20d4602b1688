import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { debianRecipe } from "./debian-recipe.js";
import { findProgram, requireProgram } from "./find-tool.js";
import type { Recipe } from "./install-server.js";
import type { Environment } from "./run-tool.js";

const NODE_EXPORTER_VERSION = "v1.12.1";
const DEBIAN_PROGRAM = "prometheus-node-exporter";

export function findNodeExporter(environment: Environment): string | null {
  return findProgram("node_exporter", environment) ?? findProgram(DEBIAN_PROGRAM, environment);
}

/** The node exporter: that of the PATH, or Debian's, or built from its Go module. */
export function nodeExporterRecipes(environment: Environment): Recipe[] {
  if (findNodeExporter(environment) !== null) return [];
  return [
    ...debianRecipe(environment, {
      server: "node-exporter",
      packageName: DEBIAN_PROGRAM,
      take: (unpacked, folder) =>
        copyFileSync(join(unpacked, "usr/bin", DEBIAN_PROGRAM), join(folder, "node_exporter")),
    }),
    {
      server: "node-exporter",
      version: NODE_EXPORTER_VERSION,
      bytes: 500_000_000,
      requireTools: () => requireProgram("go", "The node exporter", environment),
      install: async ({ folder, run }) => {
        await run("go", ["install", "-v", `github.com/prometheus/node_exporter@${NODE_EXPORTER_VERSION}`], {
          environment: { ...environment, GOFLAGS: "", GOBIN: folder },
        });
      },
    },
  ];
}
