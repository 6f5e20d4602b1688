import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { WriteOutcome } from "../../services/sink/influx-client.js";
import { writeLines } from "../../services/sink/write-lines.js";

/** InfluxDB as far as it matters here: lines that it cannot parse, lines that it drops, and a limit on the size. */
function createServer(faults: { unparsable?: Set<string>; dropped?: Set<string>; linesMax?: number } = {}) {
  const { unparsable = new Set(), dropped = new Set(), linesMax = Infinity } = faults;
  const written = new Map<string, number>();
  let requests = 0;
  const send = (lines: readonly string[]): Promise<WriteOutcome> => {
    requests++;
    if (lines.length > linesMax) return Promise.resolve({ kind: "too_large", words: "too large" });
    const broken = lines.filter((line) => unparsable.has(line));
    if (broken.length > 0) {
      const words = broken.map((line) => `unable to parse '${line}': cannot use reserved tag key "time"`);
      return Promise.resolve({ kind: "refused", words: words.join("\n") });
    }
    let order = written.size;
    for (const line of lines) if (!dropped.has(line)) written.set(line, order++);
    const count = lines.filter((line) => dropped.has(line)).length;
    if (count === 0) return Promise.resolve({ kind: "accepted" });
    const words = `failure writing points to database: partial write: field type conflict dropped=${count}`;
    return Promise.resolve({ kind: "refused", words });
  };
  return { send, written, requests: () => requests };
}

const lineSet = (count: number) => Array.from({ length: count }, (_, i) => `m${i % 7},row=${i} value=${i} 1`);

describe("writeLines", () => {
  it("writes all lines with one request where none is bad", async () => {
    const server = createServer();
    assert.deepEqual(await writeLines(lineSet(5000), server.send), []);
    assert.equal(server.requests(), 1);
    assert.equal(server.written.size, 5000);
  });

  it("asks for nothing where there is nothing", async () => {
    const server = createServer();
    assert.deepEqual(await writeLines([], server.send), []);
    assert.equal(server.requests(), 0);
  });

  it("refuses exactly the bad lines and writes all others, whatever is bad and however little fits a request", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 120 }),
        fc.array(fc.nat(119), { maxLength: 20 }),
        fc.array(fc.nat(119), { maxLength: 20 }),
        fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
        async (count, broken, dropped, linesMax) => {
          const lines = lineSet(count);
          const some = (indexes: number[]) => new Set(indexes.filter((i) => i < count).map((i) => lines[i]));
          const faults = {
            unparsable: some(broken),
            dropped: some(dropped),
            ...(linesMax === undefined ? {} : { linesMax }),
          };
          const server = createServer(faults);
          const refusals = await writeLines(lines, server.send);
          const refused = refusals.map(({ index }) => index).sort((a, b) => a - b);
          const bad = lines.flatMap((line, i) =>
            faults.unparsable.has(line) || faults.dropped.has(line) ? [i] : [],
          );
          assert.deepEqual(refused, bad);
          assert.equal(server.written.size, count - bad.length);
        },
      ),
      { seed: 5, numRuns: 300 },
    );
  });

  it("tells each line's fault in InfluxDB's words", async () => {
    const lines = lineSet(100);
    const server = createServer({ unparsable: new Set([lines[3], lines[50]]) });
    const refusals = await writeLines(lines, server.send);
    assert.deepEqual(
      refusals,
      [3, 50].map((index) => ({
        index,
        words: `unable to parse '${lines[index]}': cannot use reserved tag key "time"`,
      })),
    );
  });

  it("finds one bad line in 5,000 with few requests: two for one that is quoted, else a logarithm", async () => {
    const lines = lineSet(5000);
    const quoted = createServer({ unparsable: new Set([lines[1234]]) });
    await writeLines(lines, quoted.send);
    assert.equal(quoted.requests(), 2);
    const dropped = createServer({ dropped: new Set([lines[1234]]) });
    await writeLines(lines, dropped.send);
    assert.ok(dropped.requests() <= 2 * Math.ceil(Math.log2(5000)) + 1, `${dropped.requests()} requests`);
  });

  it("does not prove a measurement's fault line by line", async () => {
    const lines = lineSet(5000);
    const server = createServer({ dropped: new Set(lines.filter((line) => line.startsWith("m3,"))) });
    const refusals = await writeLines(lines, server.send);
    assert.equal(refusals.length, lines.filter((line) => line.startsWith("m3,")).length);
    assert.ok(server.requests() < 60, `${server.requests()} requests`);
  });

  it("gives up one line that alone is too large", async () => {
    const server = createServer({ linesMax: 0 });
    assert.deepEqual(await writeLines(["a value=1 1"], server.send), [{ index: 0, words: "too large" }]);
  });

  it("keeps the order of lines of one series", async () => {
    const lines = [
      "b,x=1 value=1 1",
      "a,x=1 value=1 1",
      "b,x=1 value=2 1",
      "a,bad=1 value=1 1",
      "a,x=1 value=2 1",
    ];
    const sent: string[] = [];
    const server = createServer({ dropped: new Set(["a,bad=1 value=1 1"]) });
    await writeLines(lines, (some) => {
      sent.push(...some);
      return server.send(some);
    });
    for (const [first, second] of [
      [lines[0], lines[2]],
      [lines[1], lines[4]],
    ]) {
      assert.ok(sent.lastIndexOf(first) < sent.lastIndexOf(second), "the later value is written last");
    }
  });

  it("rejects as a request does", async () => {
    await assert.rejects(
      writeLines(["a value=1 1"], () => Promise.reject(new Error("gone"))),
      /gone/,
    );
  });
});
