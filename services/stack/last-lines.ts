import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";

const TAIL_BYTES = 16_384;

/**
 * The last lines of a file that hold more than blanks, oldest first; none where it cannot be read. What stands before
 * the byte `from` is left out, unless the file has become shorter since: then it was begun anew.
 */
export function lastLines(file: string, from = 0): string[] {
  let fd: number;
  try {
    fd = openSync(file, "r");
  } catch {
    return [];
  }
  try {
    const { size } = fstatSync(fd);
    const wanted = size < from ? size : size - from;
    const buffer = Buffer.alloc(Math.min(wanted, TAIL_BYTES));
    readSync(fd, buffer, 0, buffer.length, size - buffer.length);
    const lines = buffer
      .toString("utf8")
      .split("\n")
      .filter((line) => line.trim() !== "");
    // The end of a line, maybe of a character: only where there is nothing else.
    return wanted > TAIL_BYTES && lines.length > 1 ? lines.slice(1) : lines;
  } catch {
    // A folder can be opened, too.
    return [];
  } finally {
    closeSync(fd);
  }
}

/** 0 where there is no such file. */
export function bytesOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
