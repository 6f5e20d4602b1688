import { createWriteStream, openSync, renameSync, rmSync, statSync } from "node:fs";
import { once } from "node:events";
import { finished } from "node:stream/promises";
import { MillraceError } from "../shared/errors.js";
import type { Terminal } from "./terminal.js";

interface Output {
  readonly write: (text: string) => Promise<void>;
  readonly complete: () => Promise<void>;
  /** Leaves nothing that looks complete. */
  readonly abandon: () => void;
}

/** A file that appears when it is complete; or, for `-`, standard output. Throws OUTPUT_UNWRITABLE. */
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
