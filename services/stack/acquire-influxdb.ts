import { spawnSync } from "node:child_process";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, requireProgram } from "./find-tool.js";
import type { Recipe } from "./install-server.js";
import type { Environment } from "./run-tool.js";

const INFLUXDB_VERSION = "v2.7.12";

/** An influxd on the PATH that is InfluxDB 2: version 1's program has the same name. */
export function findInfluxd(environment: Environment): string | null {
  const program = findProgram("influxd", environment);
  if (program === null) return null;
  const { stdout } = spawnSync(program, ["version"], {
    encoding: "utf8",
    env: environment,
    timeout: 10_000,
  });
  return /^InfluxDB v?2\./.test(stdout) ? program : null;
}

/**
 * InfluxDB built from its Go module, without its web pages: about five minutes on two cores. Its query language's
 * library is written in Rust; influxdata/pkg-config, named to Go as the pkg-config to use, builds that, and leaves the
 * rest to the real one.
 */
export function influxdbRecipes(environment: Environment): Recipe[] {
  if (findInfluxd(environment) !== null) return [];
  return [
    {
      server: "influxdb",
      version: INFLUXDB_VERSION,
      bytes: 4_500_000_000,
      requireTools: () => {
        for (const tool of ["go", "cargo", "gcc", "pkg-config"])
          requireProgram(tool, "InfluxDB", environment);
      },
      install: async ({ folder, run }) => {
        const module = `github.com/influxdata/influxdb/v2@${INFLUXDB_VERSION}`;
        const { Dir: source } = JSON.parse(await run("go", ["mod", "download", "-json", module])) as {
          Dir: string;
        };
        const pkgConfig = join(folder, "pkg-config");
        const rustcWrapper = join(folder, "rustc-wrapper");
        // The crates forbid what newer compilers warn of.
        writeFileSync(rustcWrapper, '#!/bin/sh\nexec "$@" --cap-lints warn\n');
        chmodSync(rustcWrapper, 0o755);
        const buildEnvironment = {
          ...environment,
          GOFLAGS: "",
          // A command line to Go: what is not quoted ends at a blank.
          PKG_CONFIG: pkgConfig.includes(" ") ? `'${pkgConfig}'` : pkgConfig,
          RUSTC_WRAPPER: rustcWrapper,
          ...(await installedToolchain(environment, run)),
        };
        const build = (args: string[]) =>
          run("go", ["build", ...args], { cwd: source, environment: buildEnvironment });
        await build(["-o", pkgConfig, "github.com/influxdata/pkg-config"]);
        await build([
          "-v",
          "-tags=sqlite_foreign_keys,sqlite_json",
          `-ldflags=-s -w -X main.version=${INFLUXDB_VERSION}`,
          `-o=${join(folder, "influxd")}`,
          "./cmd/influxd",
        ]);
        rmSync(pkgConfig);
        rmSync(rustcWrapper);
      },
    },
  ];
}

/** The crate asks rustup for an old toolchain, which would be downloaded; the installed one does. */
async function installedToolchain(
  environment: Environment,
  run: (command: string, args: readonly string[]) => Promise<string>,
): Promise<Environment> {
  if (findProgram("rustup", environment) === null) return {};
  const active = await run("rustup", ["show", "active-toolchain"]);
  return { RUSTUP_TOOLCHAIN: active.split(/\s/)[0] };
}
