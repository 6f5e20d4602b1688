import { type OperatorFunction, connect, identity, ignoreElements, merge, tap } from "rxjs";
import type { MillraceError } from "../shared/errors.js";
import type { FrameReader } from "../shared/frame-codec.js";
import type { CleanFrame, FeatureFrame, RawFrame } from "../shared/frame.js";
import type { OutgoingMessage } from "../shared/kafka.js";
import { clean } from "./operators/clean.js";
import { combine } from "./operators/combine.js";
import { type InputMessage, decode } from "./operators/decode.js";
import { derive } from "./operators/derive.js";
import { type OutputTopic, encodeClean, encodeFeatures } from "./operators/encode.js";
import { flagIncomplete } from "./operators/flag-incomplete.js";
import { impute } from "./operators/impute.js";
import { type SettleOptions, remember } from "./operators/remember.js";
import { type At, validate } from "./operators/validate.js";
import type { Changes } from "./state/changes.js";
import type { PartitionState } from "./state/partition-state.js";

export interface PipelineOptions<Message> {
  readonly reader: FrameReader<RawFrame>;
  readonly onPoison: (message: Message, error: MillraceError) => void;
  readonly onFrame: (frame: RawFrame) => void;
  readonly onRows: (rows: FeatureFrame) => void;
  readonly settling: SettleOptions;
  readonly cleaned: OutputTopic;
  readonly features: OutputTopic;
}

/** metrics.raw → metrics.clean and metrics.features: what is done to the messages of one partition, in their order. */
export function pipeline<Message extends InputMessage>(
  { reader, onPoison, onFrame, onRows, settling, cleaned, features }: PipelineOptions<Message>,
  state: PartitionState,
): OperatorFunction<Message, OutgoingMessage> {
  const { plan } = settling;
  return (messages) =>
    messages.pipe(
      decode(reader, onPoison),
      tap(({ frame }) => onFrame(frame)),
      validate(settling.judge),
      connect((validated) =>
        merge(
          validated.pipe(
            settle(settling, state),
            derive(plan),
            tap(onRows),
            encodeFeatures(features, plan.columns.length, () => state.watermark),
          ),
          validated.pipe(encodeClean(cleaned)),
        ),
      ),
    );
}

/** The samples of each frame in the state, cleaned, and the gaps that they end filled. What is off is not there. */
function settle(options: SettleOptions, state: PartitionState): OperatorFunction<At<CleanFrame>, Changes> {
  const { completeness, combined, outliers, imputation } = options.plan;
  return (frames) =>
    frames.pipe(
      remember(options, state),
      completeness === null ? identity : flagIncomplete(options.plan, completeness),
      combined.length === 0 ? identity : combine(options.plan),
      outliers === null ? identity : clean(outliers),
      imputation === null ? identity : impute(imputation),
    );
}

/** The same without Kafka: what is between decoding and encoding. */
export function transform(
  options: SettleOptions,
  state: PartitionState,
): OperatorFunction<At<RawFrame>, FeatureFrame> {
  return (frames) => frames.pipe(validate(options.judge), settle(options, state), derive(options.plan));
}

/** What the same messages leave in the state, without emitting anything: law L6. */
export function rebuild<Message extends InputMessage>(
  reader: FrameReader<RawFrame>,
  options: SettleOptions,
  state: PartitionState,
): OperatorFunction<Message, never> {
  return (messages) =>
    messages.pipe(
      decode(reader, () => undefined),
      validate(options.judge),
      settle(options, state),
      ignoreElements(),
    );
}
