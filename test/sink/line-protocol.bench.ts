/** Lines a second of the line protocol encoder, and of gzip on top. Run: node dist/test/sink/line-protocol.bench.js */
import { gzipSync } from "node:zlib";
import { lineOf, linePrefix } from "../../services/sink/line-protocol.js";
import { frameOf } from "./frames.js";

const COLUMNS = Array.from({ length: 22 }, (_, i) => `mean_${i}m`);
const frames = Array.from({ length: 50 }, (_, i) =>
  frameOf({ entity: i, rows: 100, columns: COLUMNS, seed: i }),
);

function encodeAll(): string[] {
  const lines: string[] = [];
  for (const frame of frames) {
    for (let row = 0; row < frame.series.length; row++) {
      lines.push(lineOf(linePrefix(frame.series[row])!, frame, COLUMNS, row)!);
    }
  }
  return lines;
}

for (let round = 0; round < 5; round++) {
  let started = process.hrtime.bigint();
  let lines: string[] = [];
  const repeats = 10;
  for (let i = 0; i < repeats; i++) lines = encodeAll();
  const encodeUs = Number(process.hrtime.bigint() - started) / 1e3 / repeats / lines.length;

  started = process.hrtime.bigint();
  const body = Buffer.from(lines.join("\n"));
  const joinUs = Number(process.hrtime.bigint() - started) / 1e3 / lines.length;

  const gzip: string[] = [];
  for (const level of [1, 6]) {
    started = process.hrtime.bigint();
    const zipped = gzipSync(body, { level });
    const us = Number(process.hrtime.bigint() - started) / 1e3 / lines.length;
    gzip.push(
      `gzip level ${level} ${us.toFixed(2)} µs/line, ${((100 * zipped.length) / body.length).toFixed(0)} %`,
    );
  }
  process.stdout.write(
    `${lines.length} lines of ${COLUMNS.length + 1} fields, ${(body.length / lines.length).toFixed(0)} bytes: ` +
      `encode ${encodeUs.toFixed(2)} µs/line (${(1e6 / encodeUs).toFixed(0)} lines/s), join ${joinUs.toFixed(2)} µs/line, ${gzip.join(", ")}\n`,
  );
}
