import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const TAIL_BYTES = 16_384;

/** The last lines of a file that hold more than blanks, oldest first; none where it cannot be read. */
export function lastLines(file: string): string[] {
  let fd: number;
  try {
    fd = openSync(file, "r");
  } catch {
    return [];
  }
  try {
    const { size } = fstatSync(fd);
    const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(fd, buffer, 0, buffer.length, size - buffer.length);
    return buffer
      .toString("utf8")
      .split("\n")
      .filter((line) => line.trim() !== "");
  } finally {
    closeSync(fd);
  }
}
