import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import kafkajs, { type Kafka, type KafkaMessage } from "kafkajs";
import type { Config } from "../../services/shared/config-schema.js";
import { MillraceError } from "../../services/shared/errors.js";
import {
  type BatchContext,
  type OutgoingMessage,
  type ReadFrom,
  createKafka,
  createTopics,
  openIdempotentProducer,
  openTransactionalProducer,
  partitionOf,
  partitionsOf,
  readOffsets,
  readTopic,
  runConsumer,
  withAdmin,
} from "../../services/shared/kafka.js";
import { createLogger } from "../../services/shared/telemetry.js";
import {
  type TopicId,
  partitionCount,
  topicName,
  topicSettings,
  topics,
} from "../../services/shared/topics.js";
import { until } from "../sink/until.js";
import { freePorts, testConfig } from "../stack/servers-for-tests.js";

const logger = createLogger("test", "silent");
let config: Config;
let kafka: Kafka;
before(async () => {
  config = await testConfig();
  kafka = createKafka(config, "test", logger);
});

const opened: { close: () => Promise<void> }[] = [];
after(() => Promise.all(opened.map((producer) => producer.close())));

/** Closed when all tests are done, too, since one that fails does not get so far: its connections would keep the process. */
async function openProducer(id: string) {
  const producer = await openTransactionalProducer(kafka, id, logger);
  opened.push(producer);
  return producer;
}

let count = 0;
/** An empty topic, for one test only. */
async function freshTopic(partitions = 1): Promise<string> {
  const topic = `${config.kafka.topic_prefix}fresh${++count}`;
  await withAdmin(kafka, (admin) =>
    admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: false }),
  );
  // A broker tells of a new topic before it leads it.
  const isLed = () =>
    withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic)).then(
      () => true,
      () => false,
    );
  await until(isLed, topic);
  return topic;
}

const freshId = (name: string) => `${config.kafka.topic_prefix}${name}${++count}`;

/** Messages of a partition whose values are these; their timestamps are 1000, 2000, and so on. */
function messages(topic: string, values: readonly string[], partition = 0): OutgoingMessage[] {
  return values.map((value, i) => ({
    topic,
    partition,
    key: null,
    value: Buffer.from(value),
    timestamp: 1000 * (i + 1),
  }));
}

async function commit(topic: string, values: readonly string[], partition = 0): Promise<void> {
  const producer = await openTransactionalProducer(kafka, freshId("producer"), logger);
  await producer.commit(messages(topic, values, partition));
  await producer.close();
}

/** A transaction of kafkajs alone, so that it may be left open, or aborted. */
async function transactionOf(transactionalId: string, topic: string, values: readonly string[]) {
  const producer = kafka.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  opened.push({ close: () => producer.disconnect() });
  const transaction = await producer.transaction();
  await transaction.send({ topic, messages: values.map((value) => ({ partition: 0, value })) });
  return {
    commit: () => transaction.commit(),
    /** Resolves when readers see that the messages are aborted. */
    abort: async () => {
      await transaction.abort();
      await producer.disconnect();
      await (await openTransactionalProducer(kafka, transactionalId, logger)).close();
    },
    close: () => producer.disconnect(),
  };
}

async function valuesIn(topic: string, from: ReadFrom = "earliest"): Promise<string[]> {
  const values: string[] = [];
  const onMessages = (some: KafkaMessage[]) => values.push(...some.map(({ value }) => String(value)));
  await readTopic(kafka, topic, from, onMessages);
  return values;
}

async function endOf(topic: string): Promise<number> {
  const [{ high }] = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
  return Number(high);
}

const hasCode = (code: string) => (error: unknown) => error instanceof MillraceError && error.code === code;

describe("openTransactionalProducer", () => {
  it("aborts what its predecessor left open, before it commits anything itself, and fences it", async () => {
    const topic = await freshTopic();
    const id = freshId("id");
    const predecessor = await transactionOf(id, topic, ["left open"]);
    const producer = await openProducer(id);
    assert.equal(await endOf(topic), 2, "the message and the mark of its abort");
    assert.deepEqual(await valuesIn(topic), []);
    await assert.rejects(predecessor.commit(), /epoch|fenced/i);
    await producer.commit(messages(topic, ["after"]));
    assert.deepEqual(await valuesIn(topic), ["after"]);
    await producer.close();
    await predecessor.close();
  });

  it("fences a predecessor that has committed all, with KAFKA_FENCED at its next commit", async () => {
    const topic = await freshTopic();
    const id = freshId("id");
    const older = await openProducer(id);
    await older.commit(messages(topic, ["older"]));
    const newer = await openProducer(id);
    await assert.rejects(older.commit(messages(topic, ["zombie"])), hasCode("KAFKA_FENCED"));
    await newer.commit(messages(topic, ["newer"]));
    assert.deepEqual(await valuesIn(topic), ["older", "newer"]);
    await older.close();
    await newer.close();
  });

  it("commits messages and offset at once; after a failed commit neither is there, and a new producer goes on", async () => {
    const [input, output] = [await freshTopic(), await freshTopic()];
    const id = freshId("id");
    const groupId = freshId("group");
    const committed = async () => {
      const [{ partitions }] = await withAdmin(kafka, (admin) =>
        admin.fetchOffsets({ groupId, topics: [input] }),
      );
      return [partitions[0].offset, partitions[0].metadata];
    };
    const consumed = (offset: string) => ({
      groupId,
      topic: input,
      partition: 0,
      offset,
      metadata: `at ${offset}`,
    });

    const failing = await openProducer(id);
    await failing.commit(messages(output, ["one"]), consumed("5"));
    // The first request of the transaction reaches the broker; the second cannot.
    const half = [...messages(output, ["half"]), ...messages(`${output}.missing`, [randomText(900_000)])];
    await assert.rejects(failing.commit(half, consumed("6")), hasCode("KAFKA_TOPIC_MISSING"));
    await assert.rejects(failing.commit(messages(output, ["again"])), hasCode("INTERNAL"));
    await failing.close();

    const next = await openProducer(id);
    assert.deepEqual(await committed(), ["5", "at 5"]);
    await next.commit(messages(output, ["two"]), consumed("7"));
    assert.deepEqual(await committed(), ["7", "at 7"]);
    assert.deepEqual(await valuesIn(output), ["one", "two"]);
    await next.close();
  });

  it("sends what is larger than a request in several, of one transaction", async () => {
    const topic = await freshTopic();
    const values = Array.from({ length: 5 }, () => randomText(400_000));
    await commit(topic, values);
    assert.deepEqual(await valuesIn(topic), values);
    assert.equal(await endOf(topic), 6, "one mark of a commit behind all");
  });
});

/** Text that no compression makes much smaller than three quarters. */
function randomText(length: number): string {
  return randomBytes(Math.ceil((length * 3) / 4)).toString("base64");
}

describe("openIdempotentProducer", () => {
  it("splits by the bytes of headers, too", async () => {
    const topic = await freshTopic();
    const producer = await openIdempotentProducer(kafka);
    const letters = messages(
      topic,
      Array.from({ length: 60 }, (_, i) => String(i)),
    ).map((message) => ({
      ...message,
      headers: { line: randomText(32_000) },
    }));
    await producer.send(letters);
    await producer.close();
    assert.deepEqual(
      await valuesIn(topic),
      letters.map(({ value }) => String(value)),
    );
  });
});

describe("partitionOf", () => {
  it("is the partition that Java's producer chooses", async () => {
    const partitions = 7;
    const topic = await freshTopic(partitions);
    const keys = ["", "a", "ab", "abc", '{instance="10.0.0.1:9100",job="api"}', "größer", "鍵", "🔑"];
    for (let i = 0; i < 200; i++) keys.push(`{instance="10.0.0.${i}:9100",job="${"j".repeat(i % 9)}"}`);
    await javaProducer(topic, keys);
    const found = new Map<string, number>();
    await readTopic(kafka, topic, "earliest", (some, partition) => {
      for (const { key } of some) found.set(String(key), partition);
    });
    assert.deepEqual(
      keys.map((key) => [key, found.get(key)]),
      keys.map((key) => [key, partitionOf(key, partitions)]),
    );
  });

  it("hashes as the vectors of Kafka's own test say", () => {
    // Source: org.apache.kafka.common.utils.UtilsTest.testMurmur2, made positive as toPositive does.
    const vectors: [string, number][] = [
      ["21", -973932308],
      ["foobar", -790332482],
      ["a-little-bit-long-string", -985981536],
      ["a-little-bit-longer-string", -1486304829],
      ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
      ["abc", 479470107],
    ];
    for (const [key, hash] of vectors) assert.equal(partitionOf(key, 2 ** 31), hash & 0x7fff_ffff, key);
  });
});

/** Kafka's own command-line producer: one message for each key. */
async function javaProducer(topic: string, keys: readonly string[]): Promise<void> {
  const libraries = fileURLToPath(new URL("../../../.millrace/servers/kafka/libs/*", import.meta.url));
  const producing = promisify(execFile)("java", [
    ...["-Xmx128m", "-cp", libraries, "org.apache.kafka.tools.ConsoleProducer"],
    ...["--bootstrap-server", config.kafka.brokers[0], "--topic", topic],
    ...["--reader-property", "parse.key=true", "--reader-property", "key.separator=|"],
  ]);
  producing.child.stdin?.end(keys.map((key) => `${key}|value\n`).join(""));
  await producing;
}

describe("readTopic", () => {
  it("reads committed messages only, to an end of aborted ones and control records", async () => {
    const topic = await freshTopic();
    await commit(topic, ["a", "b"]);
    await (await transactionOf(freshId("id"), topic, ["x", "y"])).abort();
    await commit(topic, ["c"]);
    await (await transactionOf(freshId("id"), topic, ["z"])).abort();
    assert.deepEqual(await valuesIn(topic), ["a", "b", "c"]);
  });

  it("reads a topic of nothing but aborted messages, and an empty one", async () => {
    const topic = await freshTopic(3);
    assert.deepEqual(await valuesIn(topic), []);
    await (await transactionOf(freshId("id"), topic, ["z"])).abort();
    assert.deepEqual(await valuesIn(topic), []);
  });

  it("reads all partitions, each in order", async () => {
    const topic = await freshTopic(3);
    const values = Array.from({ length: 500 }, (_, i) => String(i));
    await commit(topic, values, 0);
    await commit(topic, values, 2);
    const read: string[][] = [[], [], []];
    await readTopic(kafka, topic, "earliest", (some, partition) => {
      read[partition].push(...some.map(({ value }) => String(value)));
    });
    assert.deepEqual(read, [values, [], values]);
  });

  it("ends where the topic ended when it began, whatever is written meanwhile", async () => {
    const topic = await freshTopic();
    const values = Array.from({ length: 12 }, () => randomText(800_000));
    await commit(topic, values);
    const producer = await openIdempotentProducer(kafka);
    let sending: Promise<void> | undefined;
    const read: string[] = [];
    // Each message is a fetch of its own, so the new one is there before the last is read.
    await readTopic(kafka, topic, "earliest", (some) => {
      sending ??= producer.send(messages(topic, ["meanwhile"]));
      read.push(...some.map(({ value }) => String(value)));
    });
    await sending;
    await producer.close();
    assert.deepEqual(read, values);
  });

  it("waits for a transaction that is under way, and for what comes after its beginning", async () => {
    const topic = await freshTopic();
    await commit(topic, ["before"]);
    const open = await transactionOf(freshId("id"), topic, ["under way"]);
    await commit(topic, ["after"]);
    const read: string[] = [];
    let committing: Promise<void> | undefined;
    await readTopic(kafka, topic, "earliest", (some) => {
      committing ??= open.commit();
      read.push(...some.map(({ value }) => String(value)));
    });
    await committing;
    assert.deepEqual(read, ["before", "under way", "after"]);
    await open.close();
  });

  it("begins with the first message that is not older than a timestamp, in every partition", async () => {
    const topic = await freshTopic(2);
    await commit(topic, ["a1", "a2", "a3"], 0);
    await commit(topic, ["b1", "b2"], 1);
    const from = async (timestampMs: number) => (await valuesIn(topic, { timestampMs })).sort();
    assert.deepEqual(await from(2000), ["a2", "a3", "b2"]);
    assert.deepEqual(await from(2001), ["a3"]);
    assert.deepEqual(await from(3001), []);
  });

  it("ends with the signal's reason, and leaves no group behind", async () => {
    const topic = await freshTopic();
    await commit(topic, ["a"]);
    const aborted = AbortSignal.abort(new Error("before"));
    await assert.rejects(
      readTopic(kafka, topic, "earliest", () => undefined, aborted),
      /^Error: before$/,
    );
    const stop = new AbortController();
    const read = readTopic(kafka, topic, "earliest", () => stop.abort(new Error("meanwhile")), stop.signal);
    await assert.rejects(read, /^Error: meanwhile$/);
    const { groups } = await withAdmin(kafka, (admin) => admin.listGroups());
    assert.deepEqual(
      groups.filter(({ groupId }) => groupId.startsWith(`millrace.reader.${topic}.`)),
      [],
    );
  });

  it("rejects with what its listener throws", async () => {
    const topic = await freshTopic();
    await commit(topic, ["a"]);
    const broken = () => {
      throw new Error("no such thing");
    };
    await assert.rejects(readTopic(kafka, topic, "earliest", broken), /no such thing/);
  });
});

describe("readOffsets", () => {
  it("reads the ranges of each partition, in order, and nothing between them", async () => {
    const topic = await freshTopic(3);
    const values = Array.from({ length: 300 }, (_, i) => String(i));
    // Each commit adds a control record, which has an offset, too.
    for (const partition of [0, 1, 2])
      for (let i = 0; i < 300; i += 100) await commit(topic, values.slice(i, i + 100), partition);
    const read: string[][] = [[], [], []];
    const ranges = new Map([
      [
        0,
        [
          { next: 5n, end: 8n },
          { next: 150n, end: 152n },
          { next: 152n, end: 153n },
          { next: 302n, end: 303n },
        ],
      ],
      [1, [{ next: 99n, end: 102n }]],
      [2, []],
    ]);
    await readOffsets(kafka, topic, ranges, (messages, partition) => {
      read[partition].push(...messages.map(({ value }) => String(value)));
      return Promise.resolve();
    });
    assert.deepEqual(read, [["5", "6", "7", "149", "150", "151"], ["99", "100"], []]);
  });

  it("waits for its listener before it reads on, and rejects with what that throws", async () => {
    const topic = await freshTopic();
    for (const value of ["a", "b", "c"]) await commit(topic, [value]);
    const range = new Map([[0, [{ next: 0n, end: 5n }]]]);
    let working = 0;
    const read: string[] = [];
    await readOffsets(kafka, topic, range, async (messages) => {
      assert.equal(++working, 1);
      await new Promise((resolve) => setImmediate(resolve));
      read.push(...messages.map(({ value }) => String(value)));
      working--;
    });
    assert.deepEqual(read, ["a", "b", "c"]);
    const broken = () => Promise.reject(new Error("no such thing"));
    await assert.rejects(readOffsets(kafka, topic, range, broken), /no such thing/);
  });
});

describe("runConsumer", () => {
  const running: { stop: () => Promise<void> }[] = [];
  after(async () => {
    for (const consumer of running.splice(0)) await consumer.stop();
  });

  async function consume(
    topic: string,
    groupId: string,
    eachBatch: (context: BatchContext) => Promise<void>,
    fail: (error: unknown) => void = (error) => assert.fail(String(error)),
  ) {
    const consumer = await runConsumer({
      kafka,
      groupId,
      topics: [topic],
      fromBeginning: true,
      maxWaitMs: 50,
      partitionsConcurrently: 4,
      eachBatch,
      logger,
      fail,
    });
    running.push(consumer);
    return consumer;
  }

  /** Collects values and commits after each batch, as a service does. */
  const collector = (values: string[]) => async (context: BatchContext) => {
    const { batch, resolve, commit: commitOffset } = context;
    values.push(...batch.messages.map(({ value }) => String(value)));
    resolve(batch.messages[batch.messages.length - 1].offset);
    await commitOffset(String(BigInt(batch.lastOffset()) + 1n));
  };

  it("steps over control records and aborted messages, when it goes on and when it starts again", async () => {
    const topic = await freshTopic();
    const groupId = freshId("group");
    await commit(topic, ["a"]);
    await (await transactionOf(freshId("id"), topic, ["x"])).abort();
    const values: string[] = [];
    const first = await consume(topic, groupId, collector(values));
    await until(() => values.length === 1, "a");
    await commit(topic, ["b"]);
    await until(() => values.length === 2, "b");
    await first.stop();
    await commit(topic, ["c"]);
    const second = await consume(topic, groupId, collector(values));
    await until(() => values.length > 2, "c");
    await second.stop();
    assert.deepEqual(values, ["a", "b", "c"]);
  });

  it("commits what eachBatch commits while the consumer is being stopped", async () => {
    const topic = await freshTopic();
    const groupId = freshId("group");
    await commit(topic, ["a"]);
    const stopping = new AbortController();
    let batches = 0;
    const consumer = await consume(topic, groupId, async (context) => {
      batches++;
      // As a service that waits for an acknowledgement does.
      while (!stopping.signal.aborted) await sleep(5);
      await sleep(50);
      await context.commit("1");
    });
    await until(() => batches === 1, "the batch");
    stopping.abort();
    await consumer.stop();
    const [{ partitions }] = await withAdmin(kafka, (admin) =>
      admin.fetchOffsets({ groupId, topics: [topic] }),
    );
    assert.equal(partitions[0].offset, "1");
    assert.equal(batches, 1);
  });

  it("reads again from where it seeks", async () => {
    const topic = await freshTopic();
    await commit(topic, ["a", "b", "c"]);
    const seen: string[][] = [];
    await consume(topic, freshId("group"), ({ batch, seek, resolve }) => {
      seen.push(batch.messages.map(({ value }) => String(value)));
      if (seen.length === 1) seek("1");
      else resolve(batch.lastOffset());
      return Promise.resolve();
    });
    await until(() => seen.length === 2, "the messages again");
    assert.deepEqual(seen, [
      ["a", "b", "c"],
      ["b", "c"],
    ]);
  });

  it("tells a batch that a rebalance has taken its partition, even where the partition comes back", async () => {
    const topic = await freshTopic(4);
    const groupId = freshId("group");
    for (let partition = 0; partition < 4; partition++) await commit(topic, ["a"], partition);
    const older: BatchContext[] = [];
    const newer: BatchContext[] = [];
    let rebalanced = 0;
    await consume(topic, groupId, async (context) => {
      older.push(context);
      if (older.length > 4) return;
      try {
        // One of the four is told by its heartbeat; by then the group is whole again for the others' heartbeats.
        while (context.isCurrent()) {
          await context.heartbeat();
          await sleep(50);
        }
      } catch (error) {
        rebalanced++;
        throw error;
      }
    });
    await until(() => older.length === 4, "all partitions at the first member");
    assert.ok(older.every(({ isCurrent }) => isCurrent()));
    const joining = consume(topic, groupId, (context) => {
      newer.push(context);
      return Promise.resolve();
    });
    await until(() => rebalanced > 0, "a heartbeat that tells of the rebalance");
    await joining;
    // A member whose join crosses the end of a rebalance is only heard in the next one.
    await until(() => older.length > 4, "the first member at work again", 30_000);
    await until(() => newer.length > 0, "the second member at work", 30_000);
    const [firstEpoch] = older;
    const again = older.slice(4);
    assert.ok(older.slice(0, 4).every(({ isCurrent }) => !isCurrent()));
    assert.ok(again.every(({ epoch, isCurrent }) => epoch > firstEpoch.epoch && isCurrent()));
    assert.ok(newer.every(({ isCurrent }) => isCurrent()));
    const mine = new Set(again.map(({ batch }) => batch.partition));
    assert.ok(newer.every(({ batch }) => !mine.has(batch.partition)));
  });

  it("fails with what eachBatch throws, and does not work on", async () => {
    const topic = await freshTopic();
    await commit(topic, ["a"]);
    for (const thrown of [new MillraceError("SCHEMA_INCOMPATIBLE", "no"), new TypeError("a defect")]) {
      const failures: unknown[] = [];
      let calls = 0;
      const consumer = await consume(
        topic,
        freshId("group"),
        () => {
          calls++;
          return Promise.reject(thrown);
        },
        (error) => failures.push(error),
      );
      await until(() => failures.length > 0, "the failure");
      await sleep(500);
      assert.deepEqual(failures, [thrown]);
      assert.equal(calls, 1);
      await consumer.stop();
    }
  });

  it("rejects with KAFKA_TOPIC_MISSING where there is none", async () => {
    const few = createKafka(config, "test", logger, 1);
    const options = { groupId: freshId("group"), topics: ["no-such-topic"], fromBeginning: true };
    const rest = { maxWaitMs: 50, partitionsConcurrently: 1, logger, fail: () => undefined };
    await assert.rejects(
      runConsumer({ kafka: few, ...options, ...rest, eachBatch: () => Promise.resolve() }),
      hasCode("KAFKA_TOPIC_MISSING"),
    );
    await assert.rejects(partitionsOf(few, "no-such-topic"), hasCode("KAFKA_TOPIC_MISSING"));
  });
});

describe("createTopics", () => {
  it("creates each topic once with the settings of the table, however many call it at a time", async () => {
    const prefix = `${config.kafka.topic_prefix}new.`;
    const other = { ...config, kafka: { ...config.kafka, topic_prefix: prefix, partitions: 20 } };
    const ids = Object.keys(topics) as TopicId[];
    const [one, two] = await Promise.all([createTopics(kafka, other), createTopics(kafka, other)]);
    assert.deepEqual([...new Set([...one, ...two])].sort(), ids.map((id) => topicName(id, prefix)).sort());
    assert.deepEqual(await createTopics(kafka, other), []);

    await withAdmin(kafka, async (admin) => {
      const names = ids.map((id) => topicName(id, prefix));
      for (const name of names) assert.equal((await admin.fetchTopicOffsets(name))[0].high, "0");
      const { topics: metadata } = await admin.fetchTopicMetadata({ topics: names });
      const counts = new Map(metadata.map(({ name, partitions }) => [name, partitions.length]));
      assert.deepEqual(
        names.map((name) => counts.get(name)),
        ids.map((id) => partitionCount(id, 20)),
      );
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: names.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
      });
      for (const id of ids) {
        const { configEntries } = resources.find(
          ({ resourceName }) => resourceName === topicName(id, prefix),
        )!;
        const settings = new Map(
          configEntries.map(({ configName, configValue }) => [configName, configValue]),
        );
        for (const [name, value] of Object.entries(topicSettings(id)))
          assert.equal(settings.get(name), value, `${id} ${name}`);
      }
    });
  });

  it("says in Kafka's words what it cannot create", async () => {
    const prefix = `${config.kafka.topic_prefix}many.`;
    const other = { ...config, kafka: { ...config.kafka, topic_prefix: prefix, replication_factor: 3 } };
    await assert.rejects(createTopics(kafka, other), /replication-factor/i);
  });
});

describe("a Kafka that does not listen", () => {
  it("is told as KAFKA_UNAVAILABLE, soon", async () => {
    const [port] = await freePorts(1);
    const nowhere = { ...config, kafka: { ...config.kafka, brokers: [`127.0.0.1:${port}`] } };
    const away = createKafka(nowhere, "test", logger, 1);
    const isUnavailable = hasCode("KAFKA_UNAVAILABLE");
    const startedAt = performance.now();
    await Promise.all([
      assert.rejects(createTopics(away, nowhere), isUnavailable),
      assert.rejects(openTransactionalProducer(away, "id", logger), isUnavailable),
      assert.rejects(openIdempotentProducer(away), isUnavailable),
      assert.rejects(
        readTopic(away, "topic", "earliest", () => undefined),
        isUnavailable,
      ),
      assert.rejects(
        runConsumer({
          kafka: away,
          groupId: "group",
          topics: ["topic"],
          fromBeginning: true,
          maxWaitMs: 50,
          partitionsConcurrently: 1,
          eachBatch: () => Promise.resolve(),
          logger,
          fail: () => undefined,
        }),
        isUnavailable,
      ),
    ]);
    assert.ok(performance.now() - startedAt < 3000);
  });
});
