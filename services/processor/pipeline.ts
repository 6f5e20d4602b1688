import { type OperatorFunction, connect, ignoreElements, merge, tap } from "rxjs";
import type { MillraceError } from "../shared/errors.js";
import type { FrameReader } from "../shared/frame-codec.js";
import type { FeatureFrame, RawFrame } from "../shared/frame.js";
import type { OutgoingMessage } from "../shared/kafka.js";
import { type InputMessage, decode } from "./operators/decode.js";
import { type DeriveOptions, derive, remember } from "./operators/derive.js";
import { type OutputTopic, encodeClean, encodeFeatures } from "./operators/encode.js";
import { type At, validate } from "./operators/validate.js";
import type { PartitionState } from "./state/partition-state.js";

export interface PipelineOptions<Message> {
  readonly reader: FrameReader<RawFrame>;
  readonly onPoison: (message: Message, error: MillraceError) => void;
  readonly onFrame: (frame: RawFrame) => void;
  readonly onRows: (rows: FeatureFrame) => void;
  readonly deriving: DeriveOptions;
  readonly clean: OutputTopic;
  readonly features: OutputTopic;
}

/** metrics.raw → metrics.clean and metrics.features: what is done to the messages of one partition, in their order. */
export function pipeline<Message extends InputMessage>(
  { reader, onPoison, onFrame, onRows, deriving, clean, features }: PipelineOptions<Message>,
  state: PartitionState,
): OperatorFunction<Message, OutgoingMessage> {
  return (messages) =>
    messages.pipe(
      decode(reader, onPoison),
      tap(({ frame }) => onFrame(frame)),
      validate(),
      connect((cleaned) =>
        merge(
          cleaned.pipe(encodeClean(clean)),
          cleaned.pipe(
            derive(deriving, state),
            tap(onRows),
            encodeFeatures(features, deriving.plan.columns.length, () => state.watermark),
          ),
        ),
      ),
    );
}

/** The same without Kafka: what is between decoding and encoding. */
export function transform(
  deriving: DeriveOptions,
  state: PartitionState,
): OperatorFunction<At<RawFrame>, FeatureFrame> {
  return (frames) => frames.pipe(validate(), derive(deriving, state));
}

/** What the same messages leave in the state, without emitting anything: law L6. */
export function rebuild<Message extends InputMessage>(
  { reader, deriving }: Pick<PipelineOptions<Message>, "reader" | "deriving">,
  state: PartitionState,
): OperatorFunction<Message, never> {
  return (messages) =>
    messages.pipe(
      decode(reader, () => undefined),
      validate(),
      tap((input) => remember(deriving, state, input, null)),
      ignoreElements(),
    );
}
