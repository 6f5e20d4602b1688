import { runMillrace } from "../../cli/run-millrace.js";
import type { ShownBackfill } from "../../../services/cli/backfill-view.js";
import type { Config } from "../../../services/shared/config-schema.js";
import { createRawReader } from "../../../services/shared/frame-codec.js";
import { type Range, type Samples, addSample } from "../samples.js";
import { readFrames } from "../topic-frames.js";

/** The samples of a range that metrics.raw holds, committed; fails where one is there twice. */
export async function rawSamples(config: Config, { from, to }: Range): Promise<Samples> {
  const samples: Samples = new Map();
  await readFrames(config, "raw", createRawReader, ({ timestamp, series, values }) => {
    if (timestamp <= from || timestamp > to) return;
    series.forEach(({ key }, i) => addSample(samples, key, timestamp, values[i]));
  });
  return samples;
}

/** `millrace backfill …`, and what it printed as JSON lines. */
export async function backfill(file: string, ...args: string[]) {
  const ended = await runMillrace(["--config", file, "backfill", ...args], { timeoutMs: 180_000 });
  const lines = ended.stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as ShownBackfill);
  return { ...ended, lines, last: lines.at(-1) };
}
