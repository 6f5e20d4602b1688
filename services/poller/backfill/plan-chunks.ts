import { MIN_WINDOW_MS, type Window } from "../window.js";

/** How many samples there are in (end − stepMs, end], by end; ends are whole multiples of the step. None: no entry. */
export interface StepCounts {
  readonly stepMs: number;
  readonly counts: ReadonlyMap<number, number>;
}

/** What is read by one poll of all templates, and sent in one transaction. */
export interface Chunk extends Window {
  /** Samples, about, and not less: a part of a step counts as its share of it, rounded up. Nothing is there where it is 0. */
  readonly expected: number;
}

/**
 * Cuts a window into chunks of `samplesMax` at the most, as far as the counts tell, from end to end. A step that holds more is
 * divided evenly, down to MIN_WINDOW_MS. No chunk spans one of `cuts`.
 */
export function planChunks(
  window: Window,
  steps: StepCounts,
  samplesMax: number,
  cuts: readonly number[],
): Chunk[] {
  const inside = new Set(cuts.filter((cut) => cut > window.from && cut < window.to));
  const chunks: Chunk[] = [];
  let open: Chunk | null = null;
  for (const piece of piecesOf(window, steps, samplesMax, inside)) {
    const joined: number = (open?.expected ?? 0) + piece.expected;
    if (open !== null && joined <= samplesMax && !inside.has(piece.from)) {
      open = { from: open.from, to: piece.to, expected: joined };
    } else {
      if (open !== null) chunks.push(open);
      open = piece;
    }
  }
  return open === null ? chunks : [...chunks, open];
}

/** The parts of the window between the steps' ends and the cuts, those that hold too much divided. */
function* piecesOf(
  { from, to }: Window,
  { stepMs, counts }: StepCounts,
  samplesMax: number,
  cuts: ReadonlySet<number>,
): Generator<Chunk> {
  const ends = new Set([...cuts, to]);
  for (let end = nextMultiple(from, stepMs); end < to; end += stepMs) ends.add(end);
  let start = from;
  for (const end of [...ends].sort((a, b) => a - b)) {
    const count = counts.get(Math.ceil(end / stepMs) * stepMs) ?? 0;
    const share = Math.ceil((count * (end - start)) / stepMs);
    const parts = Math.max(
      1,
      Math.min(Math.ceil(share / samplesMax), Math.floor((end - start) / MIN_WINDOW_MS)),
    );
    for (let part = 0; part < parts; part++) {
      const at = (k: number) => start + Math.round(((end - start) * k) / parts);
      yield { from: at(part), to: at(part + 1), expected: Math.ceil(share / parts) };
    }
    start = end;
  }
}

/** The first multiple above. */
function nextMultiple(value: number, step: number): number {
  return (Math.floor(value / step) + 1) * step;
}
