import type { Config } from "../shared/config-schema.js";
import { exitCodes } from "../shared/errors.js";
import { type MissingSamples, missingSamples } from "./missing-samples.js";
import { countText, secondsText } from "./quantities.js";
import { interrupted, readFrames } from "./read-frames.js";
import type { Terminal } from "./terminal.js";
import { durationOf } from "./time-option.js";
import { textTable } from "./text-table.js";

export interface MissingOptions {
  /** A file, or `-` for standard input. */
  readonly input: string;
  /** How often a sample is expected; as the samples themselves have it without it. */
  readonly interval?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** Tells of each series in frames how many samples it lacks, and in which patterns. Holds 8 bytes a sample. */
export async function runMissing(
  config: Config,
  options: MissingOptions,
  terminal: Terminal,
): Promise<number> {
  const intervalMs = options.interval === undefined ? null : durationOf(options.interval, "--interval");
  const entities = new Map<string, Map<string, number[]>>();
  const frames = await readFrames(config, options, terminal, ({ entity, timestamp, series, stale }) => {
    let timesOf = entities.get(entity.key);
    if (timesOf === undefined) entities.set(entity.key, (timesOf = new Map<string, number[]>()));
    for (let i = 0; i < series.length; i++) {
      // A stale marker says that the series ended; it is no sample.
      if (stale[i] === 1) continue;
      const times = timesOf.get(series[i].key);
      if (times === undefined) timesOf.set(series[i].key, [timestamp]);
      else times.push(timestamp);
    }
  });
  if (terminal.stopping.aborted) return interrupted(terminal, frames);

  const found = [...entities].flatMap(([entity, timesOf]) => missingSamples(entity, timesOf, intervalMs));
  const shown = options.all === true ? found : found.filter(({ missing }) => missing > 0);
  if (options.json === true) for (const one of shown) await terminal.print(JSON.stringify(one));
  else if (shown.length > 0) await terminal.print(tableOf(shown).join("\n"));
  process.stderr.write(`${summary(found)}\n`);
  return exitCodes.ok;
}

const right = "right" as const;
const columns = [
  { title: "entity" },
  { title: "series" },
  { title: "every", align: right },
  { title: "expected", align: right },
  { title: "missing", align: right },
  { title: "share", align: right },
  { title: "isolated", align: right },
  { title: "in runs", align: right },
  { title: "periodic", align: right },
  { title: "whole frames", align: right },
];

function tableOf(found: readonly MissingSamples[]): string[] {
  const rows = found.map((one) => [
    one.entity,
    one.series,
    secondsText(one.intervalMs / 1000),
    countText(one.expected),
    countText(one.missing),
    percent(one.missing / one.expected),
    countText(one.isolated),
    countText(one.inRuns),
    one.periodic === 0 ? "0" : `${countText(one.periodic)}, every ${secondsText(one.periodMs / 1000)}`,
    countText(one.inWholeFrames),
  ]);
  return textTable(columns, rows);
}

function summary(found: readonly MissingSamples[]): string {
  const sum = (of: (one: MissingSamples) => number) => found.reduce((total, one) => total + of(one), 0);
  const [expected, missing] = [sum((one) => one.expected), sum((one) => one.missing)];
  const lacking = found.filter((one) => one.missing > 0).length;
  return `${countText(missing)} of ${countText(expected)} samples are missing, ${percent(missing / expected)}, of ${lacking} of ${found.length} series`;
}

function percent(share: number): string {
  return Number.isNaN(share) ? "—" : `${(100 * share).toFixed(2)} %`;
}
