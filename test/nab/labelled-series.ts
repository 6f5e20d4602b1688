import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A series of the Numenta Anomaly Benchmark. */
export interface LabelledSeries {
  readonly file: string;
  /** Milliseconds, strictly ascending. */
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
  /** 1 inside an anomalous interval, its ends included. */
  readonly labels: Float64Array;
  /** Rows left out: those that are not later than the one before, and those without a number. */
  readonly leftOut: number;
}

/**
 * The series of a folder whose windows.json has, by the path of each CSV file (`timestamp,value`), its anomalous intervals:
 * `{"a.csv": [["2014-04-12 09:04:00", "2014-04-13 01:44:00"]]}`. Throws an error that says what is wrong with which file.
 */
export function readLabelledFolder(folder: string): LabelledSeries[] {
  const name = join(folder, "windows.json");
  const text = readText(name, "the folder needs a windows.json with the anomalous intervals of each file");
  const windows = parseWindows(name, text);
  return Object.entries(windows).map(([file, intervals]) => readSeries(folder, file, intervals));
}

type Intervals = readonly (readonly [number, number])[];

function parseWindows(name: string, text: string): Record<string, Intervals> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`${name} is no JSON: ${(error as Error).message}`, { cause: error });
  }
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new Error(`${name} must be an object with a list of intervals by file`);
  return Object.fromEntries(
    Object.entries(json).map(([file, list]: [string, unknown]) => {
      const intervals = Array.isArray(list) ? list.map(intervalOf) : [null];
      if (!intervals.every((interval) => interval !== null))
        throw new Error(`${name}, ${file}: must be a list of [from, to], each such as "2014-04-12 09:04:00"`);
      return [file, intervals];
    }),
  );
}

function intervalOf(pair: unknown): [number, number] | null {
  if (!Array.isArray(pair) || pair.length !== 2) return null;
  const [from, to] = pair.map((time) => (typeof time === "string" ? parseTime(time) : NaN));
  return from <= to ? [from, to] : null;
}

/** Milliseconds of `2014-04-12 09:04:00.000000`, as UTC; NaN for what is no time. */
function parseTime(text: string): number {
  const match = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)$/.exec(text.trim());
  return match === null ? NaN : Date.parse(`${match[1]}T${match[2].slice(0, 12)}Z`);
}

function readSeries(folder: string, file: string, intervals: Intervals): LabelledSeries {
  const path = join(folder, file);
  const [header, ...lines] = readText(path, "windows.json names it").trim().split(/\r?\n/);
  const columns = header.split(",").map((column) => column.trim());
  const [timeColumn, valueColumn] = [columns.indexOf("timestamp"), columns.indexOf("value")];
  if (timeColumn < 0 || valueColumn < 0)
    throw new Error(`${path}: the first line must name timestamp and value`);
  const rows: { ms: number; value: number }[] = [];
  for (const [index, line] of lines.entries()) {
    const cells = line.split(",");
    const ms = parseTime(cells[timeColumn] ?? "");
    if (Number.isNaN(ms)) throw new Error(`${path}, line ${index + 2}: no time such as 2014-04-12 09:04:00`);
    const value = cells[valueColumn]?.trim() ? Number(cells[valueColumn]) : NaN;
    if (Number.isFinite(value) && !(ms <= (rows.at(-1)?.ms ?? -Infinity))) rows.push({ ms, value });
  }
  const within = (ms: number) => intervals.some(([from, to]) => ms >= from && ms <= to);
  return {
    file,
    timestamps: Float64Array.from(rows, ({ ms }) => ms),
    values: Float64Array.from(rows, ({ value }) => value),
    labels: Float64Array.from(rows, ({ ms }) => (within(ms) ? 1 : 0)),
    leftOut: lines.length - rows.length,
  };
}

function readText(path: string, why: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(`cannot read ${path} (${(error as Error).message}): ${why}`, { cause: error });
  }
}
