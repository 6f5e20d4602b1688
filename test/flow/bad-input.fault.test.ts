import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, afterEach, before, describe, it } from "node:test";
import type { StageName } from "../../services/cli/status-report.js";
import { type ErrorCode, errorTable } from "../../services/shared/errors.js";
import { schemaIdOf, wireHeader } from "../../services/shared/frame-codec.js";
import { runMillrace } from "../cli/run-millrace.js";
import {
  type Fault,
  answer500,
  incomplete,
  late,
  passThrough,
  silentlyIncomplete,
  truncated,
} from "./faulty-http.js";
import { type FaultyServers, openFaultyServers } from "./faulty-servers.js";
import {
  STRANGERS_KEY,
  deadLetters,
  isStrangers,
  rawMessages,
  sendRaw,
  sentSamples,
} from "./faulty-topics.js";
import { writtenSamples } from "./influxdb-rows.js";
import { storedSamples } from "./prometheus-answers.js";
import {
  type Flow,
  type LogLine,
  type RunningService,
  alarms,
  beginning,
  openFlow,
  readiness,
  untilReady,
  untilWritten,
} from "./running-services.js";
import { assertSameSamples, countSamples, onlyFinite } from "./samples.js";
import { waitFor } from "./wait-for.js";

const SELECTOR = '{job="node"}';
const PROMETHEUS_TIMEOUT_S = 2;
/** A sample that a failed poll passed over would be met again within this time: each fault must last longer. */
const OVERLAP_MS = 3_000;
/** Two failures take no longer, nor does the pause before the attempt that succeeds. */
const OUTAGE_LIMIT_MS = 30_000;
const UNKNOWN_SCHEMA = 2_000_000_000;

/** One story, told in order: whatever goes wrong on the way, all that Prometheus has stored arrives once. */
describe("bad input", () => {
  let servers: FaultyServers;
  let flow: Flow;
  let poller: RunningService;
  let processor: RunningService;
  let sink: RunningService;

  before(async () => {
    servers = await openFaultyServers();
    flow = await openFlow({
      extract: {
        prometheus: { url: servers.prometheus.url, timeout: PROMETHEUS_TIMEOUT_S, retry_attempts: 1 },
        templates: { node: { selectors: [SELECTOR] } },
        jobs: { live: { templates: ["node"], overlap: `${OVERLAP_MS}ms`, initial_lookback: "2s" } },
      },
      transform: { feature_engineering: { rolling_windows: ["5s"], percentiles: [50] } },
      registry: { url: servers.registry.url },
      load: { influxdb: { url: servers.influxdb.url } },
      // What is only told at debug level says that there was more to tell.
      telemetry: { log_level: "debug" },
    });
  });
  // What one test leaves broken must not fail the next.
  afterEach(() => servers.heal());
  after(async () => {
    await flow.close();
    await servers.close();
  });

  it("waits for a registry that is down at start", async () => {
    await servers.registry.goAway();
    [poller, processor, sink] = [flow.start("poller"), flow.start("processor"), flow.start("sink")];
    const outages = await Promise.all([
      outage(poller, "poller", "REGISTRY_UNAVAILABLE"),
      outage(processor, "processor", "REGISTRY_UNAVAILABLE"),
    ]);
    await servers.registry.comeBack();
    for (const ended of outages) await ended();
    await untilReady(flow, ["poller", "processor", "sink"]);
  });

  const prometheusFaults: [string, Fault, ErrorCode][] = [
    ["answers 500", answer500, "PROM_UNAVAILABLE"],
    ["answers later than its timeout", late(PROMETHEUS_TIMEOUT_S * 1_000 + 500), "PROM_TIMEOUT"],
    ["answers with broken JSON", truncated, "PROM_BAD_RESPONSE"],
    ["answers with half of the series and a warning", incomplete, "PROM_INCOMPLETE"],
    ["answers with half of the series without a warning", silentlyIncomplete, "PROM_INCOMPLETE"],
  ];
  for (const [name, fault, code] of prometheusFaults) {
    it(`polls again a Prometheus that ${name}`, async () => {
      servers.prometheus.set(fault);
      const ended = await outage(poller, "poller", code, OVERLAP_MS);
      servers.prometheus.set(passThrough);
      await ended();
    });
  }

  it("puts what it cannot decode into metrics.dead, with its origin, and goes on", async () => {
    const mark = processor.log.length;
    const { partition, value: whole } = await pollersMessage();
    const poison = [
      { value: Buffer.concat([wireHeader(UNKNOWN_SCHEMA), whole.subarray(5)]), code: "SCHEMA_UNKNOWN" },
      { value: whole.subarray(0, whole.length - 1), code: "MESSAGE_UNDECODABLE" },
      { value: Buffer.from("cpu 0.5"), code: "MESSAGE_UNDECODABLE" },
      { value: null, code: "MESSAGE_UNDECODABLE" },
    ] as const;
    const schemaIds = [String(UNKNOWN_SCHEMA), String(schemaIdOf(whole)), "", ""];
    // In the partition of the poller's own messages, which must not wait behind them.
    await sendRaw(
      flow.config,
      partition,
      poison.map(({ value }) => value),
    );
    const letters = await untilDead(poison.length);
    const offsets = (await rawMessages(flow.config)).filter(isStrangers).map(({ offset }) => offset);
    letters.forEach(({ key, value, headers }, i) => {
      assert.equal(key, STRANGERS_KEY);
      assert.deepEqual(value, poison[i].value);
      const { message, timestamp, ...origin } = headers;
      assert.deepEqual(origin, {
        topic: `${flow.config.kafka.topic_prefix}metrics.raw`,
        partition: String(partition),
        offset: offsets[i],
        schema_id: schemaIds[i],
        stage: "processor",
        code: poison[i].code,
      });
      assert.ok(message.length > 10 && Number(timestamp) > 0, `${message} ${timestamp}`);
    });
    assert.ok(letters[0].headers["message"].includes(String(UNKNOWN_SCHEMA)), letters[0].headers["message"]);
    await waitFor(
      "the processor tells of them",
      () => alarms(processor.log.slice(mark)).length,
      (lines) => lines >= 2,
    );
    assertAlarms(processor.log.slice(mark), "messages.dead_lettered", [
      "SCHEMA_UNKNOWN",
      "MESSAGE_UNDECODABLE",
    ]);
    assert.deepEqual(await readiness(flow, "processor"), {});
  });

  it("gives up no message while the registry that may know its schema is away", async () => {
    const { partition } = await pollersMessage();
    const before = await deadLetters(flow.config);
    await servers.registry.goAway();
    const failing = outage(processor, "processor", "REGISTRY_UNAVAILABLE", 2_000);
    const value = Buffer.concat([wireHeader(UNKNOWN_SCHEMA + 1), Buffer.from("?")]);
    await sendRaw(flow.config, partition, [value]);
    const ended = await failing;
    assert.equal((await deadLetters(flow.config)).length, before.length);
    await servers.registry.comeBack();
    const letters = await untilDead(before.length + 1);
    assert.equal(letters[before.length].headers["code"], "SCHEMA_UNKNOWN");
    await ended(["messages.dead_lettered SCHEMA_UNKNOWN"]);
  });

  it("keeps the rows in Kafka while InfluxDB is away", async () => {
    await servers.influxdb.goAway();
    const ended = await outage(sink, "sink", "INFLUX_UNAVAILABLE", 2_000);
    await servers.influxdb.comeBack();
    await ended();
  });

  it("ends with exit code 78 and one line where InfluxDB refuses the token", async () => {
    assert.equal((await sink.stop()).exitCode, 0);
    const { exitCode, stderr } = await runMillrace(["sink", "--config", withWrongToken()]);
    assert.equal(exitCode, 78);
    const lines = stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as LogLine);
    assertAlarms(lines, "service.failed", ["INFLUX_UNAUTHORIZED"]);
    sink = flow.start("sink");
    await untilReady(flow, ["sink"]);
  });

  it("has lost nothing, and doubled nothing", async () => {
    const range = { from: await beginning(poller), to: Date.now() };
    await untilWritten(flow, range.to);
    const stored = await storedSamples(flow.config, SELECTOR, range);
    assert.ok(countSamples(stored) > 5_000, `${countSamples(stored)} samples`);
    assertSameSamples(await sentSamples(flow.config, range), stored);
    assertSameSamples(await writtenSamples(flow.config, range), onlyFinite(stored));
  });

  /**
   * Waits until a service has failed twice for a reason, over so long a time, and looks what it tells of it: one line,
   * and why it is not ready. Resolves to what does the same for the outage's end.
   */
  async function outage(service: RunningService, name: StageName, code: ErrorCode, leastMs = 0) {
    const mark = service.log.length;
    const since = performance.now();
    const lines = () => service.log.slice(mark);
    await waitFor(
      `the ${name} has failed twice with ${code}`,
      () => lines().filter((line) => line.code === code).length,
      (failures) => failures >= 2 && performance.now() - since > leastMs,
      OUTAGE_LIMIT_MS,
    );
    const reasons = Object.values((await readiness(flow, name))!);
    assert.ok(
      reasons.some((reason) => reason.startsWith(`${code}: `)),
      reasons.join("\n"),
    );
    const [{ event }] = lines().filter((line) => line.code === code);
    assertAlarms(lines(), event, [code]);
    return async (others: string[] = []) => {
      await waitFor(
        `the ${name} says that it has recovered`,
        () => lines().map((line) => line.event),
        (events) => events.includes(event.replace(".failed", ".recovered")),
      );
      await untilReady(flow, [name]);
      assert.deepEqual(alarms(lines()), [`${event} ${code}`, ...others]);
    };
  }

  async function untilDead(count: number) {
    return waitFor(
      `${count} messages are in metrics.dead`,
      () => deadLetters(flow.config),
      (letters) => letters.length >= count,
    );
  }

  /** One of the poller's own messages. */
  async function pollersMessage(): Promise<{ partition: number; value: Buffer }> {
    const [{ partition, value }] = (await rawMessages(flow.config)).filter(
      (message) => !isStrangers(message),
    );
    return { partition, value: value! };
  }

  /** The flow's configuration with another token, as a file. */
  function withWrongToken(): string {
    const config = JSON.parse(readFileSync(flow.file, "utf8")) as {
      load: { influxdb: { token_file: string } };
    };
    config.load.influxdb.token_file = `${flow.file}.token`;
    writeFileSync(config.load.influxdb.token_file, "not-the-token");
    const file = `${flow.file}.wrong-token.json`;
    writeFileSync(file, JSON.stringify(config));
    return file;
  }
});

/** The log's only alarms are one line for each code, and each says what to do. */
function assertAlarms(log: readonly LogLine[], event: string, codes: readonly ErrorCode[]): void {
  assert.deepEqual(
    alarms(log),
    codes.map((code) => `${event} ${code}`),
  );
  const actions = log.filter(({ level }) => level >= 40).map(({ action }) => action);
  assert.deepEqual(
    actions,
    codes.map((code) => errorTable[code].action),
  );
}
