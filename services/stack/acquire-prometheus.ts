import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { debianRecipe } from "./debian-recipe.js";
import { findProgram, requireProgram } from "./find-tool.js";
import type { Recipe } from "./install-server.js";
import type { Environment } from "./run-tool.js";

const PROMETHEUS_GO_VERSION = "v0.316.0";

/** Prometheus and promtool: those of the PATH, or Debian's, or built from their Go module, about five minutes on two cores. */
export function prometheusRecipes(environment: Environment): Recipe[] {
  if (findProgram("prometheus", environment) !== null) return [];
  return [
    ...debianRecipe(environment, {
      server: "prometheus",
      packageName: "prometheus",
      take: (unpacked, folder) => {
        for (const program of ["prometheus", "promtool"])
          copyFileSync(join(unpacked, "usr/bin", program), join(folder, program));
      },
    }),
    prometheusFromGo(environment),
  ];
}

/** Prometheus 3 and promtool, whatever other versions there are. */
export function prometheusFromGo(environment: Environment): Recipe {
  return {
    server: "prometheus",
    version: PROMETHEUS_GO_VERSION,
    bytes: 3_000_000_000,
    requireTools: () => requireProgram("go", "Prometheus", environment),
    install: async ({ folder, run }) => {
      const commands = ["prometheus", "promtool"].map(
        (program) => `github.com/prometheus/prometheus/cmd/${program}@${PROMETHEUS_GO_VERSION}`,
      );
      await run("go", ["install", "-v", ...commands], {
        environment: { ...environment, GOFLAGS: "", GOBIN: folder },
      });
    },
  };
}
