import { createReadStream, statSync } from "node:fs";
import { Presets, SingleBar } from "cli-progress";
import type { ValueType } from "../kernels/convert/convert-text.js";
import { refuseImpossible } from "../processor/operators/decode.js";
import { compileTypes } from "../processor/rules/value-types.js";
import type { Config } from "../shared/config-schema.js";
import { MillraceError, asMillraceError, exitCodes } from "../shared/errors.js";
import { rawFrameOf } from "../shared/frame-json.js";
import type { RawFrame, Series } from "../shared/frame.js";
import { jsonLines } from "./json-lines.js";
import { countText } from "./quantities.js";
import type { Terminal } from "./terminal.js";

/** Hands on the frames of a file, or of standard input, until it is interrupted, and waits for `take`. Returns how many there were. */
export async function readFrames(
  config: Config,
  { input: name }: { readonly input: string },
  { stopping }: Terminal,
  take: (frame: RawFrame, line: number) => Promise<void> | void,
): Promise<number> {
  const typeOf = compileTypes(config.transform.cleaning.types);
  const progress = showProgress(name);
  const input = openInput(name);
  // What is piped in may be silent for long.
  const stopReading = () => void input.destroy();
  stopping.addEventListener("abort", stopReading);
  let frames = 0;
  try {
    for await (const { line, number, bytes } of jsonLines(input, name)) {
      if (stopping.aborted) break;
      const taken = take(frameOf(line, typeOf, `${nameOf(name)}:${number}`), number);
      if (taken !== undefined) await taken;
      frames++;
      progress.update(bytes);
    }
  } catch (error) {
    if (!stopping.aborted) throw error;
  } finally {
    stopping.removeEventListener("abort", stopReading);
    progress.stop();
    input.destroy();
  }
  return frames;
}

/** Whoever reads the output may have enough; else it was interrupted. */
export function interrupted(terminal: Terminal, frames: number): number {
  if (terminal.isOutputClosed()) return exitCodes.ok;
  throw new MillraceError("INTERRUPTED", `Interrupted after ${countText(frames)} frames.`);
}

export function nameOf(input: string): string {
  return input === "-" ? "standard input" : input;
}

function frameOf(line: string, typeOf: (series: Series) => ValueType, place: string): RawFrame {
  try {
    const frame = rawFrameOf(line, typeOf);
    refuseImpossible(frame);
    return frame;
  } catch (thrown) {
    const { code, message } = asMillraceError(thrown);
    throw new MillraceError(code, `${place}: ${message}`, { cause: thrown });
  }
}

function openInput(input: string): NodeJS.ReadStream | ReturnType<typeof createReadStream> {
  return input === "-" ? process.stdin : createReadStream(input);
}

/** A bar on standard error, where a person watches and the end is known. */
function showProgress(input: string): {
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
