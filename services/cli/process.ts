import { createReadStream, createWriteStream, openSync, renameSync, rmSync, statSync } from "node:fs";
import { once } from "node:events";
import { finished } from "node:stream/promises";
import { Presets, SingleBar } from "cli-progress";
import { of } from "rxjs";
import { featurePlan } from "../processor/feature-plan.js";
import { refuseImpossible } from "../processor/operators/decode.js";
import type { ValueType } from "../kernels/convert/convert-text.js";
import { conversionErrors } from "../kernels/convert/conversion.js";
import { transform } from "../processor/pipeline.js";
import { compileRules } from "../processor/rules/compile-rules.js";
import { openFrameJudge } from "../processor/rules/judge-frame.js";
import { compileTypes } from "../processor/rules/value-types.js";
import { openPartitionState } from "../processor/state/partition-state.js";
import type { Config } from "../shared/config-schema.js";
import { MillraceError, asMillraceError, exitCodes } from "../shared/errors.js";
import { featureFrameLine, rawFrameOf } from "../shared/frame-json.js";
import type { RawFrame, Series } from "../shared/frame.js";
import { jsonLines } from "./json-lines.js";
import { countText, secondsText } from "./quantities.js";
import type { Terminal } from "./terminal.js";

/** Output is handed on in pieces of about so many characters. */
const CHUNK_CHARACTERS = 65_536;

export interface ProcessOptions {
  /** A file, or `-` for standard input. */
  readonly input: string;
  /** A file, or `-` for standard output. */
  readonly output: string;
}

/** Frames as JSON lines through the processor's operators. Each frame is a batch of its own: corrections follow what causes them. */
export async function runProcess(
  config: Config,
  options: ProcessOptions,
  terminal: Terminal,
): Promise<number> {
  const { stopping } = terminal;
  const startedAt = performance.now();
  const plan = featurePlan(config);
  const rules = compileRules(config.transform.cleaning.rules);
  const typeOf = compileTypes(config.transform.cleaning.types);
  const counts = new Map<string, number>();
  const count = (what: string, samples = 1) => void counts.set(what, (counts.get(what) ?? 0) + samples);
  const settling = {
    plan,
    strict: config.transform.cleaning.validation_rules === "strict",
    judge: openFrameJudge(rules, {
      broken: (rule) => count(`broke ${rules.names[rule]}`),
      failed: (rule) => count(`had no answer of ${rules.names[rule]}`),
    }),
    count,
    onTypeChange: () => count("changed type"),
  };
  const operator = transform(settling, openPartitionState());
  const output = openOutput(options.output, terminal);
  const progress = showProgress(options);
  const input = openInput(options.input);
  // What is piped in may be silent for long.
  const stopReading = () => void input.destroy();
  stopping.addEventListener("abort", stopReading);
  let samples = 0;
  let offset = 0;
  let emitted = 0;
  let chunk = "";
  try {
    for await (const { line, number, bytes } of jsonLines(input, options.input)) {
      if (stopping.aborted) break;
      const frame = frameOf(line, typeOf, `${nameOf(options.input)}:${number}`);
      samples += frame.series.length;
      countUnconverted(frame, count);
      of({ offset: offset++, frame })
        .pipe(operator)
        .subscribe((rows) => {
          chunk += `${featureFrameLine(rows, plan.columns)}\n`;
          emitted++;
        });
      // What is piped in may come slowly, and is wanted as it comes.
      if (chunk.length >= CHUNK_CHARACTERS || options.input === "-") {
        await output.write(chunk);
        chunk = "";
      }
      progress.update(bytes);
    }
    stopping.throwIfAborted();
    await output.write(chunk);
    await output.complete();
  } catch (error) {
    output.abandon();
    if (stopping.aborted) return interrupted(terminal, offset);
    throw error;
  } finally {
    stopping.removeEventListener("abort", stopReading);
    progress.stop();
    input.destroy();
  }
  const irregular = [...counts].map(([what, samples]) => `, ${countText(samples)} ${what}`).join("");
  process.stderr.write(
    `${countText(offset)} frames of ${countText(samples)} samples → ${countText(emitted)} frames of features ` +
      `in ${secondsText((performance.now() - startedAt) / 1000)}${irregular}\n`,
  );
  return exitCodes.ok;
}

/** Whoever reads the output may have enough; else it was interrupted. */
export function interrupted(terminal: Terminal, frames: number): number {
  if (terminal.isOutputClosed()) return exitCodes.ok;
  throw new MillraceError("INTERRUPTED", `Interrupted after ${countText(frames)} frames.`);
}

export function nameOf(input: string): string {
  return input === "-" ? "standard input" : input;
}

function countUnconverted({ given }: RawFrame, count: (what: string) => void): void {
  if (given === undefined) return;
  for (const error of given.errors) if (error !== 0) count(`not converted (${conversionErrors[error]})`);
}

export function frameOf(line: string, typeOf: (series: Series) => ValueType, place: string): RawFrame {
  try {
    const frame = rawFrameOf(line, typeOf);
    refuseImpossible(frame);
    return frame;
  } catch (thrown) {
    const { code, message } = asMillraceError(thrown);
    throw new MillraceError(code, `${place}: ${message}`, { cause: thrown });
  }
}

export function openInput(input: string): NodeJS.ReadStream | ReturnType<typeof createReadStream> {
  return input === "-" ? process.stdin : createReadStream(input);
}

interface Output {
  readonly write: (text: string) => Promise<void>;
  readonly complete: () => Promise<void>;
  /** Leaves nothing that looks complete. */
  readonly abandon: () => void;
}

export function openOutput(output: string, { print }: Terminal): Output {
  if (output === "-") {
    return {
      write: async (text) => {
        if (text !== "") await print(text.slice(0, -1));
      },
      complete: () => Promise.resolve(),
      abandon: () => undefined,
    };
  }
  const unwritable = (cause: unknown) =>
    new MillraceError("OUTPUT_UNWRITABLE", `${output} cannot be written (${reason(cause)}).`, { cause });
  // A device or a pipe is written as it is: a file must not take its place.
  let isFile: boolean;
  let unfinished: string;
  let descriptor: number;
  try {
    isFile = statSync(output, { throwIfNoEntry: false })?.isFile() ?? true;
    unfinished = isFile ? `${output}.unfinished-${process.pid}` : output;
    descriptor = openSync(unfinished, "w");
  } catch (error) {
    throw unwritable(error);
  }
  const file = createWriteStream(unfinished, { fd: descriptor });
  let failure: Error | null = null;
  file.on("error", (error) => (failure = error));
  return {
    write: async (text) => {
      try {
        if (failure !== null) throw failure;
        if (!file.write(text)) await once(file, "drain");
      } catch (error) {
        throw unwritable(error);
      }
    },
    complete: async () => {
      try {
        file.end();
        await finished(file);
        if (isFile) renameSync(unfinished, output);
      } catch (error) {
        throw unwritable(error);
      }
    },
    abandon: () => {
      file.destroy();
      if (isFile) rmSync(unfinished, { force: true });
    },
  };
}

function reason(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

/** A bar on standard error, where a person watches and the end is known. */
export function showProgress({ input }: Pick<ProcessOptions, "input">): {
  update: (bytes: number) => void;
  stop: () => void;
} {
  const size = input === "-" ? 0 : (statSync(input, { throwIfNoEntry: false })?.size ?? 0);
  if (size === 0 || !process.stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  const bar = new SingleBar(
    { format: "{bar} {percentage} %, {eta_formatted} left", clearOnComplete: true, stream: process.stderr },
    Presets.shades_classic,
  );
  bar.start(size, 0);
  return { update: (bytes) => bar.update(bytes), stop: () => bar.stop() };
}
