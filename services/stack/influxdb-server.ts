import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Config } from "../shared/config-schema.js";
import { readSecret } from "../shared/config.js";
import { MillraceError } from "../shared/errors.js";
import { findInfluxd } from "./acquire-influxdb.js";
import { addressOfUrl, addressText, bindHost, jsonOf, probeHttp } from "./probe.js";
import type { ServerDefinition } from "./server-definition.js";

export const influxdbServer: ServerDefinition = {
  name: "influxdb",
  addressKey: "load.influxdb.url",
  address: ({ load }) => addressOfUrl(load.influxdb.url),
  morePorts: () => [],
  needs: [],
  probe: (config) =>
    probeHttp(`${apiOf(config)}/health`, influxdbServer.address(config), (status, body) => {
      const health = jsonOf(body) as { name?: unknown; status?: unknown } | null | undefined;
      if (health?.name !== "influxdb") return "other";
      return status === 200 && health.status === "pass" ? "ready" : "starting";
    }),
  prepareLaunch: (config, folders, environment) => {
    const { host, port } = influxdbServer.address(config);
    return Promise.resolve({
      command: findInfluxd(environment) ?? join(folders.program, "influxd"),
      args: [
        `--bolt-path=${join(folders.data, "influxd.bolt")}`,
        `--engine-path=${join(folders.data, "engine")}`,
        `--sqlite-path=${join(folders.data, "influxd.sqlite")}`,
        `--http-bind-address=${addressText({ host: bindHost(host), port })}`,
        "--reporting-disabled",
        "--log-level=error",
      ],
      cwd: folders.data,
      environment,
    });
  },
  setUp: setUpInfluxdb,
};

function apiOf({ load }: Config): string {
  return load.influxdb.url.replace(/\/$/, "");
}

const SETUP_LIMIT_MS = 30_000;

/**
 * Gives a new InfluxDB its organisation, bucket and token. The token is in its file first: whatever happens then, the
 * next start finds the two in agreement.
 */
async function setUpInfluxdb(config: Config): Promise<void> {
  const { org, bucket, token_file, retention_policies } = config.load.influxdb;
  const api = `${apiOf(config)}/api/v2/setup`;
  const answer = await fetch(api, { signal: AbortSignal.timeout(SETUP_LIMIT_MS) });
  const { allowed } = (await answer.json()) as { allowed: boolean };
  if (!allowed) {
    if (existsSync(token_file)) return;
    throw new MillraceError(
      "INFLUX_UNAUTHORIZED",
      `The InfluxDB in ${config.stack.home}/data/influxdb has its token, but ${token_file} is gone. ` +
        "Put it back, or remove that folder to start afresh.",
    );
  }
  if (!existsSync(token_file)) writeSecret(token_file, randomBytes(32).toString("base64url"));
  const response = await fetch(api, {
    method: "POST",
    signal: AbortSignal.timeout(SETUP_LIMIT_MS),
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      username: "millrace",
      // Nobody logs in: whoever has the token's file can make users.
      password: randomBytes(24).toString("base64url"),
      org,
      bucket,
      retentionPeriodSeconds: Math.round(retention_policies.hot / 1000),
      token: readSecret(token_file),
    }),
  });
  if (!response.ok) {
    throw new MillraceError(
      "SERVER_START_FAILED",
      `InfluxDB refused its set-up with ${response.status}: ${await response.text()}`,
    );
  }
}

function writeSecret(file: string, secret: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.tmp-${process.pid}`;
  rmSync(temporary, { force: true });
  writeFileSync(temporary, `${secret}\n`, { flag: "wx", mode: 0o600 });
  renameSync(temporary, file);
}
