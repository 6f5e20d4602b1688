import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { type AddressInfo, type Socket, createConnection } from "node:net";
import { type TestContext, afterEach, beforeEach, describe, it } from "node:test";
import type { Config } from "../../services/shared/config-schema.js";
import { rememberProcess } from "../../services/stack/process-identity.js";
import { serverNames } from "../../services/stack/server-name.js";
import { pidFile, planServers, requirePort } from "../../services/stack/servers.js";
import type { StackEvent } from "../../services/stack/stack-event.js";
import { freePort } from "../cli/free-port.js";
import { localServers } from "./local-servers.js";
import { type OwnHome, isFree, ownHome } from "./own-home.js";

const host = "127.0.0.1";

/** A port that is bound and not listened on: the client's end of a connection. */
async function clientsPort(t: TestContext): Promise<number> {
  const client = createConnection(await localServers(t).tcp(() => undefined), host);
  await once(client, "connect");
  t.after(() => client.destroy());
  return (client.address() as AddressInfo).port;
}

describe("requirePort", () => {
  it("resolves where a port is free, and leaves it so", async () => {
    const port = await freePort();
    await requirePort({ host, port }, "a.key", "something");
    assert.ok(await isFree(port));
  });

  it("names port, purpose and key where something listens or a client is bound", async (t) => {
    for (const port of [await localServers(t).tcp(() => undefined), await clientsPort(t)]) {
      await assert.rejects(requirePort({ host, port }, "stack.some_port", "the controller of Kafka"), {
        code: "PORT_IN_USE",
        message: `Port ${port}, for the controller of Kafka (stack.some_port), is in use.`,
      });
    }
  });

  it("leaves what else is wrong to the server", async () => {
    // An address of documentation, which no machine has.
    await requirePort({ host: "192.0.2.1", port: await freePort() }, "a.key", "something");
  });
});

describe("planServers", () => {
  let own: OwnHome;
  let events: StackEvent[];
  beforeEach(async () => {
    own = await ownHome();
    events = [];
  });
  afterEach(() => own.remove());

  const plan = (config: Config, servers = serverNames.slice()) =>
    planServers(config, { onEvent: (event) => events.push(event) }, servers);
  const withPrometheus = (url: string): Config => {
    const { extract } = own.config;
    return { ...own.config, extract: { ...extract, prometheus: { ...extract.prometheus, url } } };
  };
  const withStack = (changes: Partial<Config["stack"]>): Config => ({
    ...own.config,
    stack: { ...own.config.stack, ...changes },
  });

  it("has all started that do not answer", async () => {
    assert.deepEqual(await plan(own.config), [...serverNames]);
    assert.deepEqual(events, []);
  });

  it("leaves those alone that answer, and says so", async (t) => {
    const port = await localServers(t).http((_, response) => response.end('{"status":"success"}'));
    const missing = await plan(withPrometheus(`http://${host}:${port}`));
    assert.deepEqual(
      missing,
      serverNames.filter((server) => server !== "prometheus"),
    );
    assert.deepEqual(events, [
      {
        kind: "server",
        server: "prometheus",
        title: "Prometheus",
        state: "found",
        address: `${host}:${port}`,
        logFile: null,
        restartInMs: null,
      },
    ]);
  });

  it("waits for one that somebody has just started", async (t) => {
    let asked = 0;
    const port = await localServers(t).http((_, response) => {
      if (asked++ < 3) response.writeHead(503).end("Service Unavailable");
      else response.end('{"status":"success"}');
    });
    assert.deepEqual(await plan(withPrometheus(`http://${host}:${port}`), ["prometheus"]), []);
    assert.equal(asked, 4);
  });

  const others: Record<string, (t: TestContext) => Promise<number>> = {
    "answers otherwise": (t) => localServers(t).http((_, response) => response.end("<html>")),
    "is no HTTP server": (t) => localServers(t).tcp((socket: Socket) => socket.end("SSH-2.0\r\n")),
  };
  for (const [what, listen] of Object.entries(others)) {
    it(`names address and key where something else has the port, which ${what}`, async (t) => {
      const port = await listen(t);
      await assert.rejects(plan(withPrometheus(`http://${host}:${port}`)), {
        code: "PORT_IN_USE",
        message: `${host}:${port}, for Prometheus (extract.prometheus.url), is in use by something else.`,
      });
    });
  }

  it("starts nothing on other machines", async () => {
    const port = await freePort();
    await assert.rejects(plan(withPrometheus(`http://0.0.0.0:${port}`)), {
      code: "SERVER_START_FAILED",
      message:
        `Prometheus does not answer at 0.0.0.0:${port} (extract.prometheus.url), ` +
        "and only servers on 127.0.0.1 can be started here.",
    });
  });

  it("names both keys where two servers are to have the same port", async () => {
    const { node_exporter_port: port } = own.config.stack;
    await assert.rejects(plan(withStack({ kafka_controller_port: port })), {
      code: "PORT_IN_USE",
      message:
        `Port ${port} is for the controller of Kafka (stack.kafka_controller_port) ` +
        "as well as for node exporter (stack.node_exporter_port).",
    });
  });

  it("finds ports that are in use though nothing answers there", async (t) => {
    const port = await clientsPort(t);
    await assert.rejects(plan(withStack({ node_exporter_port: port })), {
      code: "PORT_IN_USE",
      message: `Port ${port}, for node exporter (stack.node_exporter_port), is in use.`,
    });
  });

  it("finds the port that a server needs besides in use", async (t) => {
    const port = await localServers(t).tcp(() => undefined);
    await assert.rejects(plan(withStack({ kafka_controller_port: port })), {
      code: "PORT_IN_USE",
      message: `Port ${port}, for the controller of Kafka (stack.kafka_controller_port), is in use.`,
    });
  });

  it("stops what an earlier run left behind, which would hold the port", async () => {
    const { node_exporter_port: port } = own.config.stack;
    const script = `require("node:net").createServer().listen(${port}, "${host}", () => console.log("up"))`;
    const leftover = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    await once(leftover.stdout, "data");
    const file = pidFile(own.home, "node-exporter");
    rememberProcess(file, leftover.pid!);
    const ended = once(leftover, "exit");
    assert.deepEqual(await plan(own.config, ["node-exporter"]), ["node-exporter"]);
    assert.deepEqual(await ended, [null, "SIGTERM"]);
    assert.ok(!existsSync(file));
  });
});
