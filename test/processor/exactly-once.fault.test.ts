import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "node:test";
import type { Config } from "../../services/shared/config-schema.js";
import { type ReadFeatureFrame, createFeatureReader } from "../../services/shared/frame-codec.js";
import type { RawFrame } from "../../services/shared/frame.js";
import { createLogger } from "../../services/shared/telemetry.js";
import { prepare } from "../../services/stack/prepare.js";
import { testConfigFile } from "../stack/servers-for-tests.js";
import { fold, run } from "./emitted-rows.js";
import { LATENESS_TICKS, plan, planText } from "./made-input.js";
import type { EmittedRow } from "./naive-features.js";
import {
  type ProcessorProcess,
  framesOf,
  messagesOf,
  openRawTopic,
  startProcessorProcess,
  untilBehind,
  untilProcessed,
  waitFor,
} from "./processor-on-kafka.js";
import { texts } from "./same-rows.js";
import { seededFrames } from "./seeded-frames.js";

const PARTITIONS = 4;
/** How fast event time goes. */
const TICK_PAUSE_MS = 50;
/** Sent at once, so that the processors fall behind. */
const FLOOD_TICKS = 50;
/** A group learns of a lost member when its session has ended, after 30 s. */
const REBALANCE_LIMIT_MS = 60_000;

const rowsOf = (frames: readonly ReadFeatureFrame[]) =>
  frames.flatMap(({ entity, timestamp, revision, series }) =>
    series.map(({ key }) => `${entity.key} ${key} ${timestamp} ${revision}`),
  );

const names = (events: ProcessorProcess["log"]) => events.map(({ event, code }) => `${event} ${code ?? ""}`);

describe("processors that are killed, and that go on after they lost their partitions", () => {
  let config: Config;
  let raw: Awaited<ReturnType<typeof openRawTopic>>;
  let emitted: ReadFeatureFrame[];
  const processors: ProcessorProcess[] = [];
  let isFlood = false;

  before(async () => {
    const tested = await testConfigFile({
      ...planText,
      kafka: { partitions: PARTITIONS },
      // Three on one machine.
      telemetry: { ports: { processor: 0 } },
    });
    config = tested.config;
    // As `millrace up` does: schemas that two register for the first time at once are refused to one of them.
    await prepare(config, createLogger("test", "silent"));
    raw = await openRawTopic(config);
    const start = () => {
      const processor = startProcessorProcess(tested.file);
      processors.push(processor);
      return processor;
    };
    const untilShared = (...sharing: ProcessorProcess[]) =>
      waitFor(
        "the partitions are shared",
        () => sharing.map((processor) => processor.partitions().length),
        (counts) => counts.every((count) => count === PARTITIONS / sharing.length),
        REBALANCE_LIMIT_MS,
      );

    const killed = start();
    const zombie = start();
    await untilShared(killed, zombie);
    const flowing = new AbortController();
    const flow = sendUntil(flowing.signal);
    try {
      await untilFeatures(100);
      // So far behind, both are at work on a batch: what the zombie does first when it goes on is to commit it.
      isFlood = true;
      await untilBehind(config, raw.sent, (messages) => messages > 300);
      zombie.signal("SIGSTOP");
      await killed.end("SIGKILL");
      isFlood = false;
      // Not before: a group that takes a member in has no batch under way.
      const survivor = start();
      await untilShared(survivor);
      // The survivor has gone on with what was theirs.
      await untilFeatures((await messagesOf(config, "features")).length + 100);
      const before = zombie.log.length;
      zombie.signal("SIGCONT");
      await waitFor(
        "the zombie joins again",
        () => names(zombie.log.slice(before)),
        (events) => events.some((name) => name.startsWith("consumer.assigned")),
        REBALANCE_LIMIT_MS,
      );
      await untilShared(zombie, survivor);
    } finally {
      flowing.abort();
      await flow;
    }
    await untilProcessed(config, raw.sent);
    assert.deepEqual([await zombie.end("SIGTERM"), await processors[2].end("SIGTERM")], [0, 0]);
    emitted = await framesOf(config, "features", createFeatureReader);
  });

  after(async () => {
    for (const processor of processors) await processor.end("SIGKILL");
    await raw.close();
  });

  async function sendUntil(stop: AbortSignal): Promise<void> {
    const startMs = Math.floor(Date.now() / 60_000) * 60_000 - 3_600_000;
    const input = { seed: 1, startMs, entities: 16, lateShare: 0.05, delayTicksMax: LATENESS_TICKS };
    let waiting: RawFrame[] = [];
    let ticks = 0;
    for (const frames of seededFrames(input)) {
      waiting.push(...frames);
      if (++ticks % (isFlood ? FLOOD_TICKS : 1) > 0) continue;
      if (waiting.length > 0) await raw.sendFrames(waiting);
      waiting = [];
      if (stop.aborted) return;
      if (!isFlood) await sleep(TICK_PAUSE_MS);
    }
  }

  const untilFeatures = (count: number) =>
    waitFor(
      "features come",
      async () => (await messagesOf(config, "features")).length,
      (found) => found >= count,
      REBALANCE_LIMIT_MS,
    );

  it("fences the zombie", () => {
    const codes = processors[1].log.map(({ event, code }) => `${event} ${code ?? ""}`);
    assert.ok(codes.includes("transaction.failed KAFKA_FENCED"), codes.join("\n"));
  });

  it("leaves every row of every revision once", () => {
    const rows = rowsOf(emitted);
    assert.equal(new Set(rows).size, rows.length);
  });

  it("leaves the rows and revisions of an unbroken run, to the bit", async () => {
    const unbroken = new Map<string, EmittedRow>();
    for (const frames of raw.sent) {
      const { emitted: wanted } = await run(
        frames.filter((frame) => frame !== null),
        { plan, batches: [1] },
      );
      for (const [name, row] of fold(wanted)) unbroken.set(name, row);
    }
    const found = fold(emitted);
    assert.ok(found.size > 10_000, `${found.size} rows`);
    assert.deepEqual(texts(found), texts(unbroken));
    for (const [name, { revision }] of unbroken) assert.equal(found.get(name)!.revision, revision, name);
  });
});
