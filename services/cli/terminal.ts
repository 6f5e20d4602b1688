import { styleText } from "node:util";

type Colour = "green" | "red" | "yellow" | "bold" | "dim";
export type Paint = (colour: Colour, text: string) => string;

/** What is written to, and how it may look. */
export interface Terminal {
  /** Writes one line to standard output; resolves when there is room for the next. */
  readonly print: (line: string) => Promise<void>;
  /** Whether a person watches, so that lines may be written over. */
  readonly isLive: boolean;
  readonly columns: number;
  /** Colours the text, or leaves it: NO_COLOR, TERM=dumb, and no terminal mean no colours. */
  readonly paint: Paint;
  /** Aborted by Ctrl-C, SIGTERM, SIGHUP, and when nobody reads the output any more. Every wait takes it. */
  readonly stopping: AbortSignal;
  /** Whether nobody reads the output any more: no failure, `head` has enough. */
  readonly isOutputClosed: () => boolean;
}

export const noPaint: Paint = (_, text) => text;

const DEFAULT_COLUMNS = 80;

export function openTerminal(): Terminal {
  const { stdout } = process;
  const stopping = new AbortController();
  let outputClosed = false;
  const stop = () => stopping.abort();
  process.on("SIGINT", stop).on("SIGTERM", stop).on("SIGHUP", stop);
  // Started by a supervisor: when it dies, however it dies, nothing may be left behind.
  process.on("disconnect", stop);
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    // A terminal window that was closed is EIO.
    if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
    outputClosed = true;
    stop();
  });
  const colours = stdout.isTTY && stdout.hasColors();
  return {
    print: async (line) => {
      if (stopping.signal.aborted || stdout.write(`${line}\n`)) return;
      await new Promise<void>((resolve) => {
        const done = () => {
          stdout.off("drain", done);
          stopping.signal.removeEventListener("abort", done);
          resolve();
        };
        stdout.once("drain", done);
        stopping.signal.addEventListener("abort", done);
      });
    },
    isLive: stdout.isTTY,
    columns: stdout.isTTY ? stdout.columns : DEFAULT_COLUMNS,
    paint: colours ? (colour, text) => styleText(colour, text) : noPaint,
    stopping: stopping.signal,
    isOutputClosed: () => outputClosed,
  };
}
