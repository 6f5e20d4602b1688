import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { STOP_LIMIT_MS } from "../../services/shared/lifecycle.js";

const script = fileURLToPath(new URL("lifecycle-process.js", import.meta.url));

interface LogLine {
  event: string;
  service: string;
  port?: number;
  code?: string;
  action?: string;
  msg?: string;
  stack?: string;
}

/** Runs a service of lifecycle-process.ts to its end; `on` is called for each line that it logs. */
async function run(
  name: string,
  on: (line: LogLine, child: ReturnType<typeof spawn>) => void = () => undefined,
  port = 0,
) {
  const child = spawn(process.execPath, [script, name, String(port)], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const { stdout, stderr } = child;
  assert.ok(stdout !== null && stderr !== null);
  let output = "";
  let unread = "";
  const log: LogLine[] = [];
  stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  stderr.on("data", (chunk: Buffer) => {
    const lines = (unread + chunk.toString()).split("\n");
    unread = lines.pop()!;
    for (const text of lines) {
      const line = JSON.parse(text) as LogLine;
      log.push(line);
      on(line, child);
    }
  });
  // Not "close", which never comes where the parent has disconnected.
  const [[exitCode]] = await Promise.all([
    once(child, "exit") as Promise<[number | null]>,
    once(stdout, "close"),
    once(stderr, "close"),
  ]);
  assert.equal(unread, "");
  return { exitCode, output, log, events: log.map(({ event }) => event) };
}

const onEvent =
  (wanted: string, act: (child: ReturnType<typeof spawn>) => void) =>
  ({ event }: LogLine, child: ReturnType<typeof spawn>) => {
    if (event === wanted) act(child);
  };

const wholeLife = ["service.starting", "service.ready", "service.stopping", "service.stopped"];

// The first two take long, and only wait.
describe("runService", { concurrency: 4 }, () => {
  for (const [name, event] of [
    ["deaf in its start", "service.starting"],
    ["deaf in its stop", "service.ready"],
  ]) {
    it(`does not wait longer than the limit for a service that is ${name}: exit code 1`, async () => {
      let askedAt = 0;
      const { exitCode, log } = await run(
        name,
        onEvent(event, (child) => {
          askedAt = performance.now();
          child.kill("SIGTERM");
        }),
      );
      const tookMs = performance.now() - askedAt;
      assert.ok(tookMs > STOP_LIMIT_MS - 100 && tookMs < 2 * STOP_LIMIT_MS, `${tookMs} ms`);
      assert.equal(exitCode, 1);
      assert.equal(log.at(-1)?.code, "SHUTDOWN_TIMEOUT");
    });
  }

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it(`ends on ${signal} with exit code 0, once it has stopped`, async () => {
      const { exitCode, output, events, log } = await run(
        "obedient",
        onEvent("service.ready", (child) => child.kill(signal)),
      );
      assert.deepEqual({ exitCode, output, events }, { exitCode: 0, output: "stopped\n", events: wholeLife });
      assert.ok(log.every(({ service }) => service === "simulator"));
    });
  }

  it("ends when its parent goes", async () => {
    const { exitCode, events } = await run(
      "obedient",
      onEvent("service.ready", (child) => child.disconnect()),
    );
    assert.deepEqual({ exitCode, events }, { exitCode: 0, events: wholeLife });
  });

  it("waits for the work under way, however often it is asked to stop, and says that it is stopping", async () => {
    let url = "";
    let readiness: Promise<number> | undefined;
    const { exitCode, output } = await run("finishing its work", (line, child) => {
      if (line.port !== undefined) url = `http://127.0.0.1:${line.port}`;
      if (line.event === "service.ready") child.kill("SIGTERM");
      if (line.event !== "service.stopping") return;
      child.kill("SIGTERM");
      readiness = fetch(`${url}/readyz`).then(async ({ status }) => {
        await fetch(`${url}/finish`);
        return status;
      });
    });
    assert.deepEqual({ exitCode, output }, { exitCode: 0, output: "work done\n" });
    assert.equal(await readiness, 503);
  });

  it("cuts a start short that waits", async () => {
    const { exitCode, events } = await run(
      "waiting in its start",
      onEvent("service.starting", (child) => child.kill("SIGTERM")),
    );
    assert.deepEqual({ exitCode, events }, { exitCode: 0, events: ["service.starting", "service.stopped"] });
  });

  it("ends with the exit code of the error that its start threw, and one line that says what to do", async () => {
    const { exitCode, output, log, events } = await run("failing in its start");
    assert.deepEqual(
      { exitCode, output, events },
      { exitCode: 78, output: "", events: ["service.starting", "service.failed"] },
    );
    const { code, msg, action, stack } = log[1];
    assert.deepEqual([code, msg, stack], ["INFLUX_UNAUTHORIZED", "InfluxDB refused the token.", undefined]);
    assert.match(action!, /token_file/);
  });

  it("stops when it fails later, and tells of the first failure", async () => {
    const { exitCode, output, log } = await run("failing later");
    assert.deepEqual({ exitCode, output }, { exitCode: 69, output: "stopped\n" });
    assert.equal(log.at(-1)?.code, "KAFKA_UNAVAILABLE");
  });

  for (const name of ["rejecting unheard", "throwing from a timer"]) {
    it(`stops on a defect that nobody caught (${name}): exit code 70, with the stack`, async () => {
      const { exitCode, output, log } = await run(name);
      assert.deepEqual({ exitCode, output }, { exitCode: 70, output: "stopped\n" });
      const { code, msg, stack } = log.at(-1)!;
      assert.deepEqual([code, msg], ["INTERNAL", "a defect"]);
      assert.match(stack!, /lifecycle-process/);
    });
  }

  it("tells of an error in its stop: exit code 70", async () => {
    const { exitCode, log } = await run(
      "failing in its stop",
      onEvent("service.ready", (child) => child.kill("SIGTERM")),
    );
    assert.deepEqual([exitCode, log.at(-1)?.code], [70, "INTERNAL"]);
  });

  it("refuses a port that is in use before it starts: exit code 1", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { exitCode, log } = await run("obedient", undefined, (server.address() as AddressInfo).port);
    server.close();
    assert.equal(exitCode, 1);
    assert.deepEqual(
      log.map(({ event, code }) => [event, code]),
      [["service.failed", "PORT_IN_USE"]],
    );
  });
});
