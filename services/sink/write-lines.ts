import type { WriteOutcome } from "./influx-client.js";

/** A line that InfluxDB would not take, by its index in what was to be written. */
export interface Refusal {
  readonly index: number;
  /** InfluxDB's own words. */
  readonly words: string;
}

/**
 * Writes lines so that a bad one costs only itself: what is refused is split until the bad lines stand alone, and all
 * others are written. `send` makes one request and tries it again while InfluxDB is away. Lines of one series keep their
 * order, and writing a line twice is writing it once. Resolves when every line was acknowledged or refused.
 */
export async function writeLines(
  lines: readonly string[],
  send: (lines: readonly string[]) => Promise<WriteOutcome>,
): Promise<Refusal[]> {
  const refusals: Refusal[] = [];
  // What is still to be written, the next part last.
  const parts: number[][] = [Array.from(lines.keys())];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    if (part.length === 0) continue;
    const outcome = await send(part.map((index) => lines[index]));
    if (outcome.kind === "accepted") continue;
    const { words } = outcome;
    const refuse = (index: number) => refusals.push({ index, words });
    if (part.length === 1) {
      refuse(part[0]);
      continue;
    }
    if (outcome.kind === "too_large") {
      parts.push(...halves(part));
      continue;
    }
    if (areAllDropped(part, lines, words)) {
      part.forEach(refuse);
      continue;
    }
    const unparsable = unparsableLines(words);
    const named = part.filter((index) => unparsable.has(lines[index]));
    if (named.length > 0) {
      for (const index of named) refusals.push({ index, words: unparsable.get(lines[index])! });
      parts.push(part.filter((index) => !unparsable.has(lines[index])));
    } else {
      parts.push(...halves(byMeasurement(part, lines)));
    }
  }
  return refusals;
}

/** The second half first, since parts are taken from the end. */
function halves(part: number[]): [number[], number[]] {
  const middle = part.length >> 1;
  return [part.slice(middle), part.slice(0, middle)];
}

/** The lines that InfluxDB quotes as unparsable, each with what it says of it: one sentence a line of its message. */
function unparsableLines(words: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const sentence of words.split("\n")) {
    const quoted = /^unable to parse '(.*)': /.exec(sentence);
    if (quoted !== null) found.set(quoted[1], sentence);
  }
  return found;
}

/**
 * Whether InfluxDB says that it dropped all of these lines. A fault of a measurement (a field of another type) or of a
 * time (outside of the retention) then needs not be proved line by line; where the lines are of several measurements, the
 * words may be about only one of them.
 */
function areAllDropped(part: readonly number[], lines: readonly string[], words: string): boolean {
  const dropped = /\bdropped=(\d+)\b/.exec(words);
  if (dropped === null || Number(dropped[1]) < part.length) return false;
  if (words.includes("retention policy")) return true;
  const measurement = measurementOf(lines[part[0]]);
  return part.every((index) => measurementOf(lines[index]) === measurement);
}

/** Sorted by measurement, where type conflicts come in groups; the order within a measurement stays. */
function byMeasurement(part: readonly number[], lines: readonly string[]): number[] {
  return part
    .map((index) => ({ index, measurement: measurementOf(lines[index]) }))
    .sort((a, b) => (a.measurement < b.measurement ? -1 : a.measurement > b.measurement ? 1 : 0))
    .map(({ index }) => index);
}

/** Up to the first comma or space that no backslash escapes, as the server reads it. */
function measurementOf(line: string): string {
  return /^.*?[^\\](?=[, ])/.exec(line)?.[0] ?? line;
}
