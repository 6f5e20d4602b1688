import avro from "avsc";
import type { Kafka } from "kafkajs";
import { schemaIdOf, wireHeader } from "../../shared/frame-codec.js";
import { type OutgoingMessage, readTopic } from "../../shared/kafka.js";
import type { Schemas } from "../../shared/schema-registry.js";
import { schemaText } from "../../shared/topics.js";
import { PUSHED_SOURCE } from "../../shared/source-name.js";

/** The receiver's record in pipeline.state: schemas/pipeline.state.avsc. */
interface ReceiverState {
  source: string;
  job: string;
  watermark: number;
  updatedAt: number;
  positions: number[];
}

const stateType = avro.Type.forSchema(JSON.parse(schemaText("pipeline.state.avsc")) as avro.Schema);

/** No job of the configuration has a blank in its name. */
const JOB = "remote write";
const KEY = `${PUSHED_SOURCE}/${JOB}`;
/** A watermark is a poller's. */
const NO_WATERMARK = -1;

/** Offsets in metrics.raw, one a partition: what was acknowledged of late lies behind them. */
export type Positions = readonly number[];

/** The positions as a message, to be sent with a transaction. */
export function positionsMessage(
  topic: string,
  schemaId: number,
  positions: Positions,
  now: number,
): OutgoingMessage {
  const state: ReceiverState = {
    source: PUSHED_SOURCE,
    job: JOB,
    watermark: NO_WATERMARK,
    updatedAt: now,
    positions: [...positions],
  };
  const value = Buffer.concat([wireHeader(schemaId), stateType.toBuffer(state)]);
  return { topic, partition: 0, key: KEY, value, timestamp: now };
}

/** The last positions that were committed; null where there never were any. Rejects as readTopic and writerSchema do. */
export async function readPositions(
  from: { kafka: Kafka; topic: string; schemas: Schemas },
  signal: AbortSignal,
): Promise<Positions | null> {
  const found: (Buffer | null)[] = [];
  await readTopic(
    from.kafka,
    from.topic,
    "earliest",
    (messages) => {
      for (const { key, value } of messages) if (key?.toString() === KEY) found[0] = value;
    },
    signal,
  );
  const [last = null] = found;
  return last === null ? null : decode(last, from.schemas);
}

async function decode(value: Buffer, schemas: Schemas): Promise<Positions> {
  const writer = await schemas.writerSchema(schemaIdOf(value));
  const state = stateType.fromBuffer(value.subarray(5), stateType.createResolver(writer)) as ReceiverState;
  return state.positions;
}
