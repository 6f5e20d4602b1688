import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "../flow/wait-for.js";

export interface PrometheusProcess {
  readonly url: string;
  /** Takes its data with it. */
  readonly close: () => Promise<void>;
}

/** Starts a Prometheus on a port of the loopback, with a configuration (YAML) and no data. Resolves once it is ready. */
export async function startPrometheus(
  program: string,
  { port, config, args }: { port: number; config: string; args: readonly string[] },
): Promise<PrometheusProcess> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-prometheus-"));
  const file = join(folder, "prometheus.yml");
  writeFileSync(file, config);
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    program,
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--log.level=error",
      ...args,
    ],
    { stdio: "ignore" },
  );
  const close = async () => {
    if (child.exitCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await waitFor(
      "Prometheus is ready",
      async () => {
        if (child.exitCode !== null) throw new Error(`Prometheus ended with ${child.exitCode}`);
        return (await fetch(`${url}/-/ready`).catch(() => null))?.ok ?? false;
      },
      (ready) => ready,
    );
  } catch (error) {
    await close();
    throw error;
  }
  return { url, close };
}
