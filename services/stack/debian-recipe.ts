import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "./find-tool.js";
import type { Recipe } from "./install-server.js";
import type { Environment } from "./run-tool.js";
import type { ServerName } from "./server-name.js";

/**
 * Takes programs out of a package of Debian or Ubuntu, where this is one: seconds instead of minutes. The package is
 * unpacked, not installed: no service is set up, nothing outside the folder changes, and no rights are needed.
 */
export function debianRecipe(
  environment: Environment,
  from: { server: ServerName; packageName: string; take: (unpacked: string, folder: string) => void },
): Recipe[] {
  const tools = ["apt-get", "dpkg-deb"].map((tool) => findProgram(tool, environment));
  if (tools.includes(null)) return [];
  return [
    {
      server: from.server,
      version: "debian",
      bytes: 300_000_000,
      requireTools: () => undefined,
      install: async ({ folder, run }) => {
        const work = join(folder, "work");
        const lists = join(work, "lists");
        const cache = join(work, "cache");
        mkdirSync(join(lists, "partial"), { recursive: true });
        mkdirSync(join(cache, "archives/partial"), { recursive: true });
        // Lists of its own: the system's may be old, and belong to the system.
        const options = ["-o", `Dir::State::lists=${lists}`, "-o", `Dir::Cache=${cache}`];
        // Not its helper user, who may not read our folders.
        options.push("-o", "APT::Sandbox::User=");
        const aptGet = (...args: string[]) => run("apt-get", [...args, ...options], { cwd: work });
        await aptGet("update");
        await aptGet("download", from.packageName);
        const file = readdirSync(work).find((name) => name.endsWith(".deb"));
        if (file === undefined) throw new Error(`apt-get downloaded no ${from.packageName}`);
        await run("dpkg-deb", ["-x", file, "unpacked"], { cwd: work });
        from.take(join(work, "unpacked"), folder);
        rmSync(work, { recursive: true });
      },
    },
  ];
}
