import type { Window } from "../poller/window.js";
import { type Digest, type Side, addToDigest, createDigest, isSame } from "./verify-digest.js";

/** Takes what a side holds of one series; times are milliseconds since the epoch. */
export type TakeSamples = (key: string, timestamps: ArrayLike<number>, values: ArrayLike<number>) => void;

/** Each gives all samples of (from, to] to `take`, in any order. */
export type ReadSide = (window: Window, take: TakeSamples) => Promise<void>;

export interface Sides {
  readonly prometheus: ReadSide;
  readonly kafka: ReadSide;
}

/** What the two sides hold of one series. */
export interface SeriesVerdict {
  readonly series: string;
  prometheus: number;
  kafka: number;
  /** Samples that Prometheus has and Kafka has not. */
  missing: number;
  /** Samples that Kafka has and Prometheus has not. */
  extra: number;
  /** How many more times than once Kafka has samples, those that are extra among them. */
  doubled: number;
  /** Samples of the same time with another value. */
  different: number;
  /** The first of the differences, milliseconds since the epoch; null where there are none. */
  firstMs: number | null;
}

/** A range is compared in so many cells at a time. */
const CELLS = 64;
/** Samples of both sides that are held one by one, some 100 bytes each. */
const HELD_MAX = 500_000;
/** What is no longer than this is held whatever there is. */
const HELD_MS = 1_000;

/**
 * Compares what the sides hold in a range, series by series. First by digests, which need memory for series, not samples; then
 * sample by sample, in the cells that differ only. Rejects as the sides do.
 */
export async function compareSides(
  range: Window,
  sides: Sides,
  heldMax = HELD_MAX,
): Promise<SeriesVerdict[]> {
  const verdicts = new Map<string, SeriesVerdict>();
  const digests = await digestsOf(range, sides, null);
  for (const [series, { prometheus, kafka }] of digests) {
    const sum = (counts: Uint32Array) => counts.reduce((total, count) => total + count, 0);
    const counts = { prometheus: sum(prometheus), kafka: sum(kafka) };
    const none = { missing: 0, extra: 0, doubled: 0, different: 0, firstMs: null };
    verdicts.set(series, { series, ...counts, ...none });
  }
  await explain(range, digests, sides, verdicts, heldMax);
  return [...verdicts.values()].sort((a, b) => (a.series < b.series ? -1 : 1));
}

/** Of all series, or only of those wanted. */
async function digestsOf(
  range: Window,
  sides: Sides,
  wanted: ReadonlySet<string> | null,
): Promise<Map<string, Digest>> {
  const digests = new Map<string, Digest>();
  const taker =
    (side: Side): TakeSamples =>
    (key, timestamps, values) => {
      if (wanted?.has(key) === false) return;
      let digest = digests.get(key);
      if (digest === undefined) digests.set(key, (digest = createDigest(CELLS)));
      for (let i = 0; i < timestamps.length; i++)
        addToDigest(digest, side, cellOf(timestamps[i], range), timestamps[i], values[i]);
    };
  await sides.prometheus(range, taker("prometheus"));
  await sides.kafka(range, taker("kafka"));
  return digests;
}

function cellOf(timestamp: number, { from, to }: Window): number {
  return Math.min(CELLS - 1, Math.floor(((timestamp - from - 1) / (to - from)) * CELLS));
}

/** The cell holds (from, to]: the times that cellOf gives it. */
function cellWindow(cell: number, { from, to }: Window): Window {
  const edge = (k: number) => (k === CELLS ? to : from + Math.ceil((k * (to - from)) / CELLS));
  return { from: edge(cell), to: edge(cell + 1) };
}

async function explain(
  range: Window,
  digests: ReadonlyMap<string, Digest>,
  sides: Sides,
  verdicts: Map<string, SeriesVerdict>,
  heldMax: number,
): Promise<void> {
  for (const { cells, keys, samples } of groupsThatDiffer(digests, heldMax)) {
    const window = {
      from: cellWindow(cells[0], range).from,
      to: cellWindow(cells[cells.length - 1], range).to,
    };
    if (samples > heldMax && window.to - window.from > HELD_MS)
      await explain(window, await digestsOf(window, sides, keys), sides, verdicts, heldMax);
    else await compareSamples(window, keys, sides, verdicts);
  }
}

interface Group {
  /** Neighbours of each other. */
  readonly cells: number[];
  readonly keys: Set<string>;
  /** Of these series, on both sides. */
  samples: number;
}

/** Cells that differ, those beside each other together as long as what is to be held allows it. */
function groupsThatDiffer(digests: ReadonlyMap<string, Digest>, heldMax: number): Group[] {
  const groups: Group[] = [];
  for (let cell = 0; cell < CELLS; cell++) {
    const differing = [...digests].filter(([, digest]) => !isSame(digest, cell));
    if (differing.length === 0) continue;
    const last = groups.at(-1);
    const keys = new Set([...(last?.keys ?? []), ...differing.map(([key]) => key)]);
    const joint = last === undefined ? Infinity : samplesOf(digests, keys, [...last.cells, cell]);
    if (last !== undefined && last.cells.at(-1) === cell - 1 && joint <= heldMax) {
      groups[groups.length - 1] = { cells: [...last.cells, cell], keys, samples: joint };
    } else {
      const own = new Set(differing.map(([key]) => key));
      groups.push({ cells: [cell], keys: own, samples: samplesOf(digests, own, [cell]) });
    }
  }
  return groups;
}

function samplesOf(
  digests: ReadonlyMap<string, Digest>,
  keys: ReadonlySet<string>,
  cells: readonly number[],
): number {
  let samples = 0;
  for (const key of keys) {
    const { prometheus, kafka } = digests.get(key)!;
    for (const cell of cells) samples += prometheus[cell] + kafka[cell];
  }
  return samples;
}

async function compareSamples(
  window: Window,
  keys: ReadonlySet<string>,
  sides: Sides,
  verdicts: Map<string, SeriesVerdict>,
): Promise<void> {
  const held = new Map<string, { prometheus: Map<number, number>; kafka: Map<number, number[]> }>();
  for (const key of keys) held.set(key, { prometheus: new Map(), kafka: new Map() });
  await sides.prometheus(window, (key, timestamps, values) => {
    const samples = held.get(key)?.prometheus;
    for (let i = 0; i < timestamps.length; i++) samples?.set(timestamps[i], values[i]);
  });
  await sides.kafka(window, (key, timestamps, values) => {
    const samples = held.get(key)?.kafka;
    for (let i = 0; i < timestamps.length; i++) {
      const known = samples?.get(timestamps[i]);
      if (known === undefined) samples?.set(timestamps[i], [values[i]]);
      else known.push(values[i]);
    }
  });
  for (const [key, { prometheus, kafka }] of held) judge(verdicts.get(key)!, prometheus, kafka);
}

function judge(
  verdict: SeriesVerdict,
  prometheus: ReadonlyMap<number, number>,
  kafka: ReadonlyMap<number, readonly number[]>,
): void {
  const differs = (ms: number) => {
    verdict.firstMs = Math.min(verdict.firstMs ?? Infinity, ms);
  };
  for (const [ms, value] of prometheus) {
    const values = kafka.get(ms);
    if (values === undefined) verdict.missing++;
    else if (values.some((other) => !Object.is(other, value))) verdict.different++;
    else continue;
    differs(ms);
  }
  for (const [ms, values] of kafka) {
    if (!prometheus.has(ms)) verdict.extra++;
    verdict.doubled += values.length - 1;
    if (!prometheus.has(ms) || values.length > 1) differs(ms);
  }
}
