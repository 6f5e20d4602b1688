import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { readSecret } from "../../services/shared/config.js";
import { until } from "../sink/until.js";
import { type OwnHome, isFree, listeningAddresses, ownHome, portsOf, processesOf } from "./own-home.js";
import { type UpProcess, startUp } from "./up-process.js";

/** The first timestamp and the number of feature rows of a metric in InfluxDB, over all its series. */
async function rows(own: OwnHome, metric: string): Promise<{ first: number; last: number; count: number }> {
  const { url, org, bucket, token_file } = own.config.load.influxdb;
  const response = await fetch(`${url}/api/v2/query?org=${org}`, {
    method: "POST",
    headers: {
      authorization: `Token ${readSecret(token_file)}`,
      "content-type": "application/vnd.flux",
      accept: "application/csv",
    },
    body: `from(bucket: "${bucket}") |> range(start: -1h)
      |> filter(fn: (r) => r._measurement == "${metric}" and r._field == "mean_5m") |> keep(columns: ["_time"])`,
  });
  assert.equal(response.status, 200, await response.clone().text());
  const times = (await response.text())
    .split(/\s+/)
    .map((line) => Date.parse(line.split(",").at(-1) ?? ""))
    .filter((time) => !Number.isNaN(time));
  return { first: Math.min(...times), last: Math.max(...times), count: times.length };
}

/** One of the node exporter's metrics, one of the simulator's. */
const metrics = ["node_load1", "service_health_score"];

async function untilRows(own: OwnHome, sinceMs: number): Promise<void> {
  for (const metric of metrics) {
    await until(async () => (await rows(own, metric)).last > sinceMs, `rows of ${metric}`, 30_000);
  }
}

/** Pids of what was started last, by the names of their files. */
function remembered(home: string): Record<string, number> {
  return Object.fromEntries(
    readdirSync(join(home, "run")).map((name) => {
      const { pid } = JSON.parse(readFileSync(join(home, "run", name), "utf8")) as { pid: number };
      return [name.replace(/\.json$/, ""), pid];
    }),
  );
}

async function assertAllGone({ home, config }: OwnHome): Promise<void> {
  assert.deepEqual(processesOf(home), []);
  assert.deepEqual(existsSync(join(home, "run")) ? readdirSync(join(home, "run")) : [], []);
  for (const port of portsOf(config)) assert.ok(await isFree(port), `port ${port} is held`);
}

describe("millrace up", () => {
  let own: OwnHome;
  let up: UpProcess;
  let firstRowAt: Record<string, number>;
  before(async () => (own = await ownHome()));
  after(() => own.remove());

  it("with a port in use ends with one line that names its key, and leaves nothing", async () => {
    const { telemetry } = own.config;
    const holder = createServer().listen(telemetry.ports.sink, "127.0.0.1");
    const { exitCode, stderr } = await startUp(own.configFile).ended;
    holder.close();
    assert.equal(
      stderr,
      `PORT_IN_USE: Port ${telemetry.ports.sink}, for the sink's telemetry (telemetry.ports.sink), is in use. ` +
        "Stop what holds the port, or configure another one.\n",
    );
    assert.equal(exitCode, 1);
    await assertAllGone(own);
  });

  it("brings features of node exporter and simulator into InfluxDB", async () => {
    up = startUp(own.configFile);
    await up.ready();
    await untilRows(own, 0);
    firstRowAt = {};
    for (const metric of metrics) firstRowAt[metric] = (await rows(own, metric)).first;
  });

  it("opens nothing to the network, and keeps its secrets to itself", () => {
    const { home, config } = own;
    const pids = remembered(home);
    assert.deepEqual(Object.keys(pids).sort(), [
      ...["influxdb", "kafka", "node-exporter", "poller", "processor", "prometheus", "registry", "simulator"],
      ...["sink", "up"],
    ]);
    for (const [name, pid] of Object.entries(pids)) {
      const open = listeningAddresses(pid).filter(
        (address) => !/^(0{24}|0{16}FFFF0000)?0100007F:/.test(address),
      );
      assert.deepEqual(open, [], `${name} listens on more than the loopback`);
    }
    const token = readSecret(config.load.influxdb.token_file);
    assert.equal(statSync(config.load.influxdb.token_file).mode & 0o777, 0o600);
    assert.equal(statSync(join(home, "secrets")).mode & 0o777, 0o700);
    for (const { command } of processesOf(home)) assert.ok(!command.includes(token), command);
    for (const log of readdirSync(join(home, "logs"))) {
      assert.ok(!readFileSync(join(home, "logs", log), "utf8").includes(token), `${log} holds the token`);
    }
    assert.ok(!JSON.stringify(up.lines).includes(token));
  });

  it("runs once in a home", async () => {
    const { exitCode, stderr } = await startUp(own.configFile).ended;
    assert.match(stderr, new RegExp(`^ALREADY_RUNNING: .* as process ${up.pid}\\. [^\n]*\n$`));
    assert.equal(exitCode, 1);
    assert.equal(remembered(own.home)["up"], up.pid);
  });

  it("starts a killed service again", async () => {
    const { sink } = remembered(own.home);
    const from = up.lines.length;
    process.kill(sink, "SIGKILL");
    const exited = await up.line(
      "the sink's end",
      (line) => line.kind === "service" && line.service === "sink" && line.state === "exited",
      { from },
    );
    assert.ok(exited.kind === "service" && exited.reason === "ended by SIGKILL");
    await up.line(
      "a new sink",
      (line) => line.kind === "service" && line.state === "started" && line.pid !== sink,
      { from },
    );
    await up.ready();
    await untilRows(own, Date.now());
  });

  it("when it is killed, its services end by themselves", async () => {
    const { poller, processor, sink, simulator } = remembered(own.home);
    up.kill("SIGKILL");
    await up.ended;
    const services = () =>
      processesOf(own.home).filter(({ pid }) => [poller, processor, sink, simulator].includes(pid));
    await until(() => services().length === 0, "the services' end", 15_000);
    assert.equal(processesOf(own.home).length, 5, "the servers are left");
  });

  it("starts again within a minute over what was left behind, with its data", async () => {
    const left = remembered(own.home);
    const startedAt = Date.now();
    up = startUp(own.configFile);
    await up.ready();
    assert.ok(Date.now() - startedAt < 60_000, `took ${Date.now() - startedAt} ms`);
    assert.equal(up.lines.filter((line) => line.kind === "server" && line.state === "found").length, 0);
    for (const pid of ["kafka", "registry", "influxdb", "prometheus", "node-exporter"].map(
      (name) => left[name],
    )) {
      assert.ok(!processesOf(own.home).some((running) => running.pid === pid), `${pid} still runs`);
    }
    await untilRows(own, startedAt);
    for (const metric of metrics) assert.equal((await rows(own, metric)).first, firstRowAt[metric]);
  });

  it("stops by Ctrl-C wholly", async () => {
    up.kill("SIGINT");
    const { exitCode, stderr } = await up.ended;
    assert.equal(stderr, "");
    assert.equal(exitCode, 0);
    await assertAllGone(own);
  });

  it("finds its data after a stop; and is stopped wholly in the middle of a start, too", async () => {
    up = startUp(own.configFile);
    await up.line("InfluxDB", (line) => line.kind === "server" && line.server === "influxdb");
    for (const metric of metrics) assert.equal((await rows(own, metric)).first, firstRowAt[metric]);
    assert.ok(up.lines.every((line) => line.kind !== "server" || line.server !== "kafka"));
    up.kill("SIGTERM");
    const { exitCode, stderr } = await up.ended;
    assert.equal(stderr, "");
    assert.equal(exitCode, 0);
    await assertAllGone(own);
  });
});
