import { compileTypes } from "../processor/rules/value-types.js";
import type { Config } from "../shared/config-schema.js";
import type { RawFrame } from "../shared/frame.js";
import { jsonLines } from "./json-lines.js";
import { frameOf, nameOf, openInput, showProgress } from "./process.js";
import type { Terminal } from "./terminal.js";

/** Hands on the frames of a file, or of standard input, until it is interrupted. Returns how many there were. */
export async function readFrames(
  config: Config,
  { input: name }: { readonly input: string },
  { stopping }: Terminal,
  take: (frame: RawFrame, line: number) => void,
): Promise<number> {
  const typeOf = compileTypes(config.transform.cleaning.types);
  const progress = showProgress({ input: name });
  const input = openInput(name);
  // What is piped in may be silent for long.
  const stopReading = () => void input.destroy();
  stopping.addEventListener("abort", stopReading);
  let frames = 0;
  try {
    for await (const { line, number, bytes } of jsonLines(input, name)) {
      if (stopping.aborted) break;
      take(frameOf(line, typeOf, `${nameOf(name)}:${number}`), number);
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
