import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { noPaint } from "../../services/cli/terminal.js";
import {
  eventLine,
  nextLines,
  noteEvent,
  openUpState,
  startView,
  troubleLines,
} from "../../services/cli/up-view.js";
import { parseConfig } from "../../services/shared/config.js";
import type { ServerEvent, ServiceEvent, StepEvent } from "../../services/stack/stack-event.js";

const step = (change: Partial<StepEvent> = {}): StepEvent => ({
  kind: "step",
  step: "start kafka",
  state: "running",
  detail: "waiting for its answer",
  elapsedMs: 1_500,
  ...change,
});
const server = (change: Partial<ServerEvent> = {}): ServerEvent => ({
  kind: "server",
  server: "kafka",
  title: "Kafka",
  state: "started",
  address: "127.0.0.1:9092",
  logFile: "logs/kafka.log",
  restartInMs: null,
  ...change,
});
const service = (change: Partial<ServiceEvent> = {}): ServiceEvent => ({
  kind: "service",
  service: "sink",
  state: "started",
  pid: 7,
  reason: null,
  restartInMs: null,
  logFile: "logs/sink.log",
  ...change,
});
const failed = service({ state: "failed", pid: null, reason: "INFLUX_UNAUTHORIZED: no." });

describe("startView", () => {
  const view = (...events: (StepEvent | ServerEvent)[]) => {
    const state = openUpState();
    for (const event of events) noteEvent(state, event);
    return startView(state, { columns: 60, frame: 0, paint: noPaint });
  };

  it("shows servers that were there, then each step once, as it is now", () => {
    const lines = view(
      step(),
      step({ step: "prepare", elapsedMs: 250 }),
      server({ state: "found", title: "InfluxDB", server: "influxdb", address: "10.0.0.1:8086" }),
      server(),
      step({ state: "done", detail: "" }),
    );
    assert.deepEqual(
      lines.map((line) => line.trimEnd().replaceAll(/ +/g, " ")),
      ["✔ InfluxDB runs at 10.0.0.1:8086", "✔ start kafka 1.50 s", "⠋ prepare 250 ms waiting for its answer"],
    );
  });

  it("cuts what would not fit the terminal", () => {
    const [line] = view(step({ detail: "x".repeat(200) }));
    assert.equal(line.length, 59);
    assert.ok(line.endsWith("xxx"));
  });
});

describe("eventLine", () => {
  it("tells what came of a step, and nothing of its progress", () => {
    assert.equal(eventLine(step()), null);
    assert.equal(
      eventLine(step({ state: "done", detail: "7 topics created" })),
      "start kafka done in 1.50 s: 7 topics created",
    );
    assert.equal(eventLine(step({ state: "done", detail: "" })), "start kafka done in 1.50 s");
  });

  it("tells of servers", () => {
    assert.equal(eventLine(server()), "Kafka started at 127.0.0.1:9092");
    assert.equal(eventLine(server({ state: "found" })), "Kafka runs at 127.0.0.1:9092 already");
    assert.equal(eventLine(server({ state: "stopped" })), "Kafka stopped");
    assert.equal(
      eventLine(server({ state: "exited", restartInMs: 2_000 })),
      "Kafka ended unasked and is started again in 2.00 s (log: logs/kafka.log)",
    );
  });

  it("tells of services, and why they are not up", () => {
    assert.equal(eventLine(service()), "sink started as process 7");
    assert.equal(eventLine(service({ state: "stopped" })), "sink stopped");
    assert.equal(
      eventLine(service({ state: "exited", reason: "ended by SIGKILL", restartInMs: 1_000 })),
      "sink is started again in 1.00 s: ended by SIGKILL (log: logs/sink.log)",
    );
    assert.equal(eventLine(failed), "sink stays down: INFLUX_UNAUTHORIZED: no. (log: logs/sink.log)");
  });
});

describe("troubleLines", () => {
  it("names what is down, until it is up again", () => {
    const state = openUpState();
    noteEvent(state, server({ state: "exited", restartInMs: 1_000 }));
    noteEvent(state, failed);
    assert.deepEqual(troubleLines(state, noPaint), [
      "Kafka ended unasked and is started again in 1.00 s (log: logs/kafka.log)",
      "sink stays down: INFLUX_UNAUTHORIZED: no. (log: logs/sink.log)",
    ]);
    noteEvent(state, server());
    noteEvent(state, service());
    assert.deepEqual(troubleLines(state, noPaint), []);
  });
});

describe("nextLines", () => {
  it("has commands that work as they stand, within 80 columns", () => {
    const config = parseConfig("", "test.yaml");
    const lines = nextLines(config, "config/etl_config.yaml", noPaint);
    for (const line of lines) assert.ok(line.length <= 80, `${line.length}: ${line}`);
    assert.ok(lines.some((line) => line.startsWith("  npx millrace tail metrics.features ")));
    assert.ok(lines.some((line) => line.includes("Token $(cat .millrace/secrets/influxdb_token)")));
  });

  it("names the configuration where it is not the default one", () => {
    const lines = nextLines(parseConfig("", "my.yaml"), "my.yaml", noPaint);
    assert.ok(lines.some((line) => line.startsWith("  npx millrace --config my.yaml status --json ")));
  });
});
