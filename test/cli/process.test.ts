import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { featureFrameLine, rawFrameOf } from "../../services/shared/frame-json.js";
import type { RawFrame } from "../../services/shared/frame.js";
import { fold, run } from "../processor/emitted-rows.js";
import { LATENESS_TICKS, plan, planText, twoColumns } from "../processor/made-input.js";
import { naiveRows } from "../processor/naive-features.js";
import { texts } from "../processor/same-rows.js";
import { seededFrames } from "../processor/seeded-frames.js";
import { runMillrace } from "./run-millrace.js";

const START_MS = 1_760_000_000_000;
const main = fileURLToPath(new URL("../../services/cli/main.js", import.meta.url));

interface Line {
  timestamp: number;
  revision: number;
  rows: Record<string, unknown>[];
}

const linesOf = (text: string) =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);

const gauge = (timestamp: number, value: unknown, more: object = {}) =>
  JSON.stringify({ entity: { job: "api" }, timestamp, samples: [{ metric: "cpu", value, ...more }] });

/** A frame as metrics.raw has it, in the form of `millrace tail`. */
function rawLine({ entity, timestamp, origin, source, ingestedAt, series, values, stale }: RawFrame): string {
  const number = (value: number) =>
    Number.isNaN(value) ? null : Number.isFinite(value) ? value : value > 0 ? "Infinity" : "-Infinity";
  const samples = series.map(({ metric, labels, type }, i) => ({
    metric,
    labels,
    type,
    value: number(values[i]),
    stale: stale[i] === 1,
  }));
  return JSON.stringify({ entity: entity.labels, timestamp, origin, source, ingestedAt, samples });
}

describe("millrace process", () => {
  let folder: string;
  let config: string;
  const path = (name: string) => join(folder, name);
  const write = (name: string, text: string) => {
    writeFileSync(path(name), text);
    return path(name);
  };
  const millrace = (input: string, output: string, text = "") =>
    runMillrace(["process", "-c", config, "-i", input, "-o", output], { input: text });

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "millrace-process-"));
    config = write("etl_config.yaml", JSON.stringify(planText));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("writes what the processor's operators emit, late frames and odd numbers among them", async () => {
    const frames: RawFrame[] = [];
    const seeded = { seed: 3, startMs: START_MS, entities: 3, lateShare: 0.1, delayTicksMax: LATENESS_TICKS };
    for (const some of seededFrames(seeded)) {
      frames.push(...some);
      if (frames.length > 600) break;
    }
    const input = write("seeded.ndjson", frames.map(rawLine).join("\n"));
    const { exitCode, stdout, stderr } = await millrace(input, path("features.ndjson"));
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /^60\d frames of 1,8\d\d samples → [\d,]+ frames of features in .*inserted\n$/);

    const { emitted } = await run(frames, { plan, batches: [1] });
    const wanted = emitted.map((frame) => featureFrameLine(frame, plan.columns));
    assert.deepEqual(readFileSync(path("features.ndjson"), "utf8").split("\n"), [...wanted, ""]);
    assert.deepEqual(texts(fold(emitted)), texts(naiveRows(frames, plan, true)));
  });

  it("fills gaps by a model, as explain tells, and as check tries it", async () => {
    const configOf = (model_columns: string[]) => {
      const imputation = { method: "onnx", model_path: twoColumns, model_columns, interval: "1s" };
      return JSON.stringify({ transform: { ...planText.transform, imputation } });
    };
    const filling = write("filling.yaml", configOf(["cpu", "load"]));
    const input = [1, 2, 6].map((value, i) => gauge(START_MS + (i * i + i) * 500, value)).join("\n");
    const { stdout, stderr } = await runMillrace(["process", "-c", filling, "-i", "-", "-o", "-"], { input });
    // The rows of 0, 1, 2 and 3 s, without a value of `load`: the mean of 1, 2, 0 and 6.
    const filled = linesOf(stdout).find(({ timestamp }) => timestamp === START_MS + 2_000);
    assert.equal(filled?.rows[0]["value"], 2.25, stderr);
    const explained = await runMillrace(["explain", "cpu", "-c", filling, "-i", "-"], { input });
    assert.match(explained.stdout, /2\.25, by onnx between/, explained.stderr);

    const sound = await runMillrace(["check", "--offline", "-c", filling]);
    assert.equal(sound.exitCode, 0);
    assert.match(sound.stdout, /model +ok +.*two-columns\.onnx takes tables of 2 columns/);
    const wrong = write("wrong.yaml", configOf(["cpu"]));
    const place = "wrong\\.yaml:1:\\d+ transform\\.imputation\\.model_path: ";
    const checked = await runMillrace(["check", "--offline", "-c", wrong]);
    assert.equal(checked.exitCode, 78);
    assert.match(checked.stdout, new RegExp(`MODEL_SHAPE: .*${place}.*\\[rows, 1\\]`));
    const refused = await runMillrace(["process", "-c", wrong, "-i", "-", "-o", "-"], { input });
    assert.equal(refused.exitCode, 78);
    assert.match(refused.stderr, new RegExp(`MODEL_SHAPE.*${place}`));
  });

  it("emits again, after a late frame, the rows that it touches", async () => {
    const lines = [gauge(START_MS, 1), gauge(START_MS + 2_000, 3), "", gauge(START_MS + 1_000, 8)];
    const { exitCode, stdout } = await millrace("-", "-", lines.join("\n"));
    assert.equal(exitCode, 0);
    assert.deepEqual(
      linesOf(stdout).map(({ timestamp, revision, rows }) => [
        timestamp - START_MS,
        revision,
        rows[0]["mean_10s"],
      ]),
      [
        [0, 0, 1],
        [2_000, 1, 2],
        [1_000, 2, 4.5],
        [2_000, 2, 4],
      ],
    );
  });

  it("reads and writes numbers that JSON has not, as tail does", async () => {
    const values = [null, "Infinity", "-Infinity", -0, 5e-324, 6];
    const lines = values.map((value, i) => gauge(START_MS + i, value));
    const { exitCode, stdout } = await millrace("-", "-", lines.join("\n"));
    assert.equal(exitCode, 0);
    const rows = linesOf(stdout).map((line) => line.rows[0]);
    assert.deepEqual(
      rows.map((row) => row["value"]),
      [null, "Infinity", "-Infinity", 0, 5e-324, 6],
    );
    assert.deepEqual(
      rows.map((row) => row["flags"]),
      [16, 16, 16, 0, 0, 0],
    );
    assert.deepEqual(
      rows.map((row) => row["mean_10s"]),
      [null, null, null, 0, 0, 2],
    );
    const again = (line: string) => rawFrameOf(line, () => "number");
    for (const line of lines) assert.equal(again(rawLine(again(line))).values.length, 1);
  });

  it("reads texts as the configuration says, and says how many it could not read", async () => {
    const types = { cpu: { match: "cpu", as: "duration" } };
    const { transform } = planText;
    const text = { transform: { ...transform, cleaning: { ...transform.cleaning, types } } };
    const withTypes = write("types.yaml", JSON.stringify(text));
    const values = ["12ms", "1h", "soon", "3 parsecs", true, "1.5", 2, "", null];
    const input = values.map((value, i) => gauge(START_MS + i, value)).join("\n");
    const args = ["process", "-c", withTypes, "-i", "-", "-o", "-"];
    const { exitCode, stdout, stderr } = await runMillrace(args, { input });
    assert.equal(exitCode, 0, stderr);
    const rows = linesOf(stdout).map((line) => line.rows[0]);
    assert.deepEqual(
      rows.map((row) => row["value"]),
      [0.012, 3600, null, null, 1, 1.5, 2, null, null],
    );
    assert.deepEqual(
      rows.map((row) => row["flags"]),
      [0, 0, 48, 48, 0, 0, 0, 48, 16],
    );
    assert.equal(rows[6]["mean_10s"], (0.012 + 3600 + 1 + 1.5 + 2) / 5);
    assert.match(
      stderr,
      / in .*, 1 not converted \(form\), 3 changed type, 1 not converted \(unit\), 1 not .*\n$/,
    );
    assert.match(stderr, /, 1 not converted \(empty\)\n$/);
  });

  const good = gauge(START_MS, 1);
  const refused: [string, string, RegExp][] = [
    ["what is no JSON", "{", /:2: this is no JSON/],
    ["a field too many", gauge(START_MS, 1, { extra: 1 }), /:2: samples\.0: .*extra/],
    ["a value that is no number and no text", gauge(START_MS, [1]), /:2: samples\.0\.value: /],
    ["a missing field", '{"entity":{},"samples":[]}', /:2: timestamp: /],
    [
      "a time later than its reading",
      JSON.stringify({ entity: {}, timestamp: START_MS + 300_001, ingestedAt: START_MS, samples: [] }),
      /:2: .*300 s later/,
    ],
  ];
  for (const [what, line, message] of refused) {
    it(`names the line of ${what}, and leaves no output`, async () => {
      const input = write("bad.ndjson", `${good}\n${line}\n`);
      const { exitCode, stderr } = await millrace(input, path("never.ndjson"));
      assert.equal(exitCode, 1);
      assert.match(stderr, /^INPUT_INVALID: .*\n$/);
      assert.match(stderr, message);
      assert.deepEqual(
        readdirSync(folder).filter((name) => name.startsWith("never")),
        [],
      );
    });
  }

  it("leaves an output that was there as it was when it fails", async () => {
    const output = write("kept.ndjson", "before\n");
    assert.equal((await millrace(write("bad.ndjson", "{"), output)).exitCode, 1);
    assert.equal(readFileSync(output, "utf8"), "before\n");
  });

  it("says that the input cannot be read, and leaves no output", async () => {
    for (const input of [path("nowhere.ndjson"), folder]) {
      const { exitCode, stderr } = await millrace(input, path("never.ndjson"));
      assert.equal(exitCode, 1);
      assert.match(stderr, /^INPUT_UNREADABLE: .*(ENOENT|EISDIR).*--input.*\n$/);
      assert.ok(!readdirSync(folder).some((name) => name.startsWith("never")));
    }
  });

  it("says that the output cannot be written, before it reads", async () => {
    const input = write("bad.ndjson", "{");
    for (const output of [path("nowhere/features.ndjson"), folder, join(config, "below")]) {
      const { exitCode, stderr } = await millrace(input, output);
      assert.equal(exitCode, 1);
      assert.match(stderr, /^OUTPUT_UNWRITABLE: .*(ENOENT|EISDIR|ENOTDIR).*--output.*\n$/);
    }
  });

  it("says that a disk is full", async () => {
    symlinkSync("/dev/full", path("full"));
    const { exitCode, stderr } = await millrace(write("one.ndjson", good), path("full"));
    assert.equal(exitCode, 1);
    assert.match(stderr, /^OUTPUT_UNWRITABLE: .*ENOSPC/);
  });

  it("writes into a device or pipe, and does not put a file in its place", async () => {
    // By a link: what a defect would replace is the link.
    symlinkSync("/dev/null", path("null"));
    const { exitCode } = await millrace(write("one.ndjson", good), path("null"));
    assert.equal(exitCode, 0);
    assert.ok(statSync(path("null")).isCharacterDevice());
  });

  it("stops at once when it is interrupted, though its input is silent, and leaves no output", async () => {
    const args = ["process", "-c", config, "-i", "-", "-o", path("interrupted.ndjson")];
    const child = spawn(process.execPath, [main, ...args], { stdio: ["pipe", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdin.write(`${good}\n`);
    const files = () => readdirSync(folder).filter((name) => name.startsWith("interrupted"));
    while (files().length === 0 || statSync(path(files()[0])).size === 0)
      await new Promise((resolve) => setTimeout(resolve, 20));
    const ended = once(child, "close");
    child.kill("SIGTERM");
    const [exitCode] = (await ended) as [number];
    assert.equal(exitCode, 1);
    assert.match(stderr, /^INTERRUPTED: Interrupted after 1 frames\./);
    assert.deepEqual(files(), []);
  });
});
