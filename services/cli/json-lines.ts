import { StringDecoder } from "node:string_decoder";
import { MillraceError } from "../shared/errors.js";

/** Far more than a Kafka message may have; a file without line breaks must not fill the memory. */
const LINE_CHARACTERS_MAX = 64_000_000;

export interface NumberedLine {
  readonly line: string;
  /** From 1. */
  readonly number: number;
  /** Bytes of the input that had been read when the line was found. */
  readonly bytes: number;
}

/** The lines of a stream that hold more than blanks. Throws INPUT_UNREADABLE, and INPUT_INVALID for an endless line. */
export async function* jsonLines(
  input: AsyncIterable<Buffer>,
  name: string,
): AsyncGenerator<NumberedLine, void, undefined> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let number = 0;
  let bytes = 0;
  try {
    for await (const chunk of input) {
      bytes += chunk.length;
      const lines = (rest + decoder.write(chunk)).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > LINE_CHARACTERS_MAX) {
        throw new MillraceError(
          "INPUT_INVALID",
          `Line ${number + lines.length + 1} of ${name} has more than ${LINE_CHARACTERS_MAX} characters.`,
        );
      }
      for (const line of lines) {
        number++;
        if (line.trim() !== "") yield { line, number, bytes };
      }
    }
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new MillraceError("INPUT_UNREADABLE", `${name} cannot be read (${code ?? String(error)}).`, {
      cause: error,
    });
  }
  if (rest.trim() !== "") yield { line: rest, number: number + 1, bytes };
}
