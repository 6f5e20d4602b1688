import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { logFile } from "../../services/stack/servers.js";
import { type RunningServices, startServices } from "../../services/stack/services.js";
import type { ServiceEvent } from "../../services/stack/stack-event.js";
import { until } from "../sink/until.js";
import { processesOf } from "./own-home.js";

describe("startServices", () => {
  let home: string;
  let configFile: string;
  let events: ServiceEvent[];
  let running: RunningServices;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "millrace-services-"));
    configFile = join(home, "etl_config.yaml");
    events = [];
  });
  afterEach(async () => {
    await running.stop();
    rmSync(home, { recursive: true });
  });

  /** The simulator, which needs no servers. */
  const start = (configText: string, environment: Record<string, string> = {}) => {
    writeFileSync(configFile, configText);
    running = startServices(["simulator"], {
      home,
      configFile,
      environment: { PATH: process.env["PATH"], ...environment },
      onEvent: (event) => {
        if (event.kind === "service") events.push(event);
      },
    });
  };
  const event = async (state: ServiceEvent["state"]) => {
    await until(() => events.some((each) => each.state === state), state, 20_000);
    return events.find((each) => each.state === state)!;
  };
  const anyPort = "telemetry: { ports: { simulator: 0 } }";

  it("leaves a service down that would end again, with what it told", async () => {
    start("no_such_section: {}");
    const { reason, restartInMs, pid } = await event("failed");
    assert.match(reason ?? "", /^CONFIG_INVALID: .*no_such_section/);
    assert.deepEqual([restartInMs, pid], [null, null]);
    assert.deepEqual(processesOf(home), []);
  });

  it("gives no reason of an earlier start", async () => {
    const log = logFile(home, "simulator");
    mkdirSync(dirname(log), { recursive: true });
    const old = { event: "service.failed", code: "KAFKA_UNAVAILABLE", msg: "Long ago.", action: "" };
    appendFileSync(log, `${JSON.stringify(old)}\n`);
    // It ends before it can tell why, with a line that is JSON but no object.
    const end = "data:text/javascript,console.log('null');process.exit(3)";
    start(anyPort, { NODE_OPTIONS: `--import=${end}` });
    const { reason, restartInMs } = await event("exited");
    assert.equal(reason, "ended with 3");
    assert.equal(restartInMs, 1_000);
  });

  it("stops all of them, and says so", async () => {
    start(anyPort);
    await event("started");
    await running.stop();
    assert.deepEqual(processesOf(home), []);
    assert.deepEqual(
      events.map(({ state }) => state),
      ["started", "stopped"],
    );
  });
});
