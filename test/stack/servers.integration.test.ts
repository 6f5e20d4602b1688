import assert from "node:assert/strict";
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { MillraceError } from "../../services/shared/errors.js";
import type { ServerName } from "../../services/stack/server-name.js";
import { type RunningServers, logFile, pidFile, startServers } from "../../services/stack/servers.js";
import type { StackEvent } from "../../services/stack/stack-event.js";
import { until } from "../sink/until.js";
import { type OwnHome, isFree, ownHome, portsOf, processesOf } from "./own-home.js";

describe("startServers", () => {
  let own: OwnHome;
  let events: StackEvent[];
  beforeEach(async () => {
    own = await ownHome();
    events = [];
  });
  afterEach(() => own.remove());

  const start = (...servers: ServerName[]): Promise<RunningServers> =>
    startServers(own.config, servers, {
      environment: process.env,
      onEvent: (event) => events.push(event),
      signal: new AbortController().signal,
    });
  const happened = (server: ServerName) =>
    events.flatMap((event) => (event.kind === "server" && event.server === server ? [event.state] : []));
  const untilAnswer = (port: number) =>
    until(
      () =>
        fetch(`http://127.0.0.1:${port}/metrics`).then(
          ({ ok }) => ok,
          () => false,
        ),
      `an answer on port ${port}`,
    );
  const assertNothingLeft = async () => {
    assert.deepEqual(processesOf(own.home), []);
    for (const port of portsOf(own.config)) assert.ok(await isFree(port), `port ${port} is held`);
  };
  /** How a start fails; with nothing left of the node exporter that was started beside it. */
  const failureOf = async (server: ServerName): Promise<MillraceError> => {
    const error: unknown = await start("node-exporter", server).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof MillraceError, String(error));
    await assertNothingLeft();
    return error;
  };

  it("starts a server that was killed again, and stops all of them wholly", async () => {
    const servers = await start("prometheus", "node-exporter");
    const killed = servers.pid("node-exporter")!;
    process.kill(killed, "SIGKILL");
    await until(() => (servers.pid("node-exporter") ?? killed) !== killed, "a new process");
    await untilAnswer(own.config.stack.node_exporter_port);
    assert.deepEqual(happened("node-exporter"), ["started", "exited"]);
    const { pid } = JSON.parse(readFileSync(pidFile(own.home, "node-exporter"), "utf8")) as { pid: number };
    assert.equal(pid, servers.pid("node-exporter"));
    await servers.stop();
    assert.deepEqual(happened("prometheus"), ["started", "stopped"]);
    await assertNothingLeft();
  });

  it("does not start a killed server again once it was asked to stop", async () => {
    const servers = await start("node-exporter");
    process.kill(servers.pid("node-exporter")!, "SIGKILL");
    await until(() => servers.pid("node-exporter") === null, "its end");
    await servers.stop();
    assert.equal(servers.pid("node-exporter"), null);
    await assertNothingLeft();
  });

  it("fails with the server's own words and its log where it ends while it starts", async () => {
    mkdirSync(join(own.home, "data/prometheus"), { recursive: true });
    writeFileSync(join(own.home, "data/prometheus/wal"), "no folder");
    const { code, message } = await failureOf("prometheus");
    assert.equal(code, "SERVER_START_FAILED");
    const log = logFile(own.home, "prometheus");
    assert.match(message, /^Prometheus ended with 1 while it started: .*\/data\/prometheus\/wal/);
    assert.ok(message.endsWith(`(log: ${log}).`), message);
  });

  it("fails with DISK_FULL where its configuration cannot be written", async () => {
    mkdirSync(join(own.home, "config/prometheus"), { recursive: true });
    symlinkSync("/dev/full", join(own.home, "config/prometheus/prometheus.yml"));
    const { code, message } = await failureOf("prometheus");
    assert.equal(code, "DISK_FULL");
    assert.equal(message, `Prometheus: the disk that holds ${own.home} is full.`);
  });

  it("gives a new InfluxDB a token that only we can read, keeps it, and says so where it is lost", async () => {
    const { token_file: tokenFile } = own.config.load.influxdb;
    const startOnce = async () => {
      await (await start("influxdb")).stop();
      return readFileSync(tokenFile, "utf8");
    };
    const token = await startOnce();
    assert.equal(statSync(tokenFile).mode & 0o777, 0o600);
    assert.equal(statSync(dirname(tokenFile)).mode & 0o777, 0o700);
    assert.equal(statSync(join(own.home, "data/influxdb")).mode & 0o777, 0o700);
    assert.equal(await startOnce(), token);

    renameSync(tokenFile, `${tokenFile}.lost`);
    const { code, message } = await failureOf("influxdb");
    assert.equal(code, "INFLUX_UNAUTHORIZED");
    assert.equal(
      message,
      `The InfluxDB in ${own.home}/data/influxdb has its token, but ${tokenFile} is gone. ` +
        "Put it back, or remove that folder to start afresh.",
    );
    rmSync(join(own.home, "data/influxdb"), { recursive: true });
    assert.notEqual(await startOnce(), token);
  });

  it("goes on where its set-up was cut off between the token's file and InfluxDB", async () => {
    const { url, token_file: tokenFile } = own.config.load.influxdb;
    mkdirSync(dirname(tokenFile), { recursive: true });
    writeFileSync(tokenFile, "of-an-earlier-start\n");
    const servers = await start("influxdb");
    const { status } = await fetch(`${url}/api/v2/buckets`, {
      headers: { authorization: "Token of-an-earlier-start" },
    });
    await servers.stop();
    assert.equal(status, 200);
  });
});
