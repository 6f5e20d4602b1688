import { firstAfter } from "../../kernels/window-bounds.js";
import type { Present } from "../imputation-columns.js";
import { type ImputationPlan, ageLimitMs } from "../imputation-plan.js";
import { goodBefore, isGood } from "./good-samples.js";
import type { EntityState } from "./partition-state.js";
import { type SeriesWindow, isCounter } from "./series-window.js";

/**
 * The gaps that one change has filled. What they are filled from does not change meanwhile, since nothing that was filled in
 * is: so those that lie at the same times in the same table are filled at once.
 */
export interface Filling {
  readonly plan: ImputationPlan;
  readonly entity: EntityState;
  /** Caches, without influence on any result. */
  inOrder: readonly SeriesWindow[] | null;
  readonly tables: FilledTable[];
}

export function openFilling(plan: ImputationPlan, entity: EntityState): Filling {
  return { plan, entity, inOrder: null, tables: [] };
}

/** A gap: between two good samples of its window, at indices, with what is missing there. Milliseconds. */
export interface Gap {
  readonly window: SeriesWindow;
  readonly near: number;
  readonly far: number;
  readonly times: readonly number[];
  /** How often a sample is expected. */
  readonly intervalMs: number;
}

/** What a table is filled from, and by what its gap's rows are filled. */
interface FilledTable {
  readonly rows: Rows;
  readonly columns: readonly (SeriesWindow | null)[];
  readonly ageMs: number;
  /** Row-major: the rows of the gap only. */
  readonly estimates: Float64Array;
}

interface Rows {
  readonly timestamps: Float64Array;
  /** The rows of the gap are `from ... to - 1`. */
  readonly from: number;
  readonly to: number;
}

/** The values at a gap's times; not finite where a time stays open. */
export function fillTimes(filling: Filling, gap: Gap): Float64Array {
  const { window, times, intervalMs } = gap;
  const rows = rowsOf(filling.plan, gap);
  const columns = columnsOf(filling, gap, rows);
  if (columns === null) return new Float64Array(times.length).fill(NaN);
  const ageMs = Number.isFinite(intervalMs) ? ageLimitMs(intervalMs) : 0;
  let filled = filling.tables.find((other) => isSameTable(other, rows, columns, ageMs));
  if (filled === undefined) {
    filled = { rows, columns, ageMs, estimates: estimatesOf(filling.plan, rows, columns, ageMs) };
    filling.tables.push(filled);
  }
  const { estimates } = filled;
  const own = columns.indexOf(window);
  return Float64Array.from(times, (_, k) => estimates[k * columns.length + own]);
}

/** The times of the good samples that a filler looks at before a gap, of the gap, and of its far end where that is needed. */
function rowsOf({ imputer }: ImputationPlan, { window, near, far, times }: Gap): Rows {
  const { timestamps, first } = window;
  const before: number[] = [];
  for (let at = firstAfter(timestamps, first, near, timestamps[near] - imputer.lookbackMs); at < near; at++) {
    if (isGood(window, at) && isCounter(window, at) === isCounter(window, near)) before.push(timestamps[at]);
  }
  before.push(timestamps[near]);
  const after = imputer.declaration.needsFarEnd ? [timestamps[far]] : [];
  const from = before.length;
  return {
    timestamps: Float64Array.from([...before, ...times, ...after]),
    from,
    to: from + times.length,
  };
}

/** Those windows of the entity that have a good sample where the filler looks; what has none may be as well forgotten. */
function columnsOf(filling: Filling, gap: Gap, rows: Rows): readonly (SeriesWindow | null)[] | null {
  const { plan, entity } = filling;
  const { window, near } = gap;
  if (plan.imputer.columnsOf === null) return [window];
  filling.inOrder ??= [...entity.windows.keys()].sort().map((key) => entity.windows.get(key)!);
  const after = window.timestamps[near] - plan.reachMs;
  const windows: SeriesWindow[] = [];
  const present: Present[] = [];
  for (const other of filling.inOrder) {
    const newest = newestGood(other, after, lastOf(rows));
    if (newest < 0) continue;
    windows.push(other);
    present.push({ series: other.series, isCounter: isCounter(other, newest) });
  }
  const columns = plan.imputer.columnsOf(windows.indexOf(window), present);
  return columns?.map((at) => (at < 0 ? null : windows[at])) ?? null;
}

function lastOf({ timestamps }: Rows): number {
  return timestamps[timestamps.length - 1];
}

/** The last good sample of (after, until]; −1 where there is none. */
function newestGood(window: SeriesWindow, after: number, until: number): number {
  const at = goodBefore(window, firstAfter(window.timestamps, window.first, window.end, until));
  return at >= window.first && window.timestamps[at] > after ? at : -1;
}

function isSameTable(
  table: FilledTable,
  rows: Rows,
  columns: FilledTable["columns"],
  ageMs: number,
): boolean {
  const { timestamps, from, to } = table.rows;
  return (
    table.ageMs === ageMs &&
    from === rows.from &&
    to === rows.to &&
    timestamps.length === rows.timestamps.length &&
    table.columns.length === columns.length &&
    table.columns.every((column, i) => column === columns[i]) &&
    timestamps.every((ms, i) => ms === rows.timestamps[i])
  );
}

function estimatesOf(
  { imputer }: ImputationPlan,
  rows: Rows,
  columns: FilledTable["columns"],
  ageMs: number,
): Float64Array {
  const width = columns.length;
  const { timestamps, from, to } = rows;
  const table = new Float64Array(timestamps.length * width).fill(NaN);
  columns.forEach((window, column) => {
    if (window !== null) putColumn(window, timestamps, ageMs, table, width, column);
  });
  return imputer.fill(timestamps, table, width, { from, to }).slice(from * width, to * width);
}

/**
 * What a window's series was at the table's rows: each has the newest good sample that came since the row before it, as far back
 * as no sample is missing. None stands in two rows, so that a series that misses what the gap's own misses has a gap there, too.
 * Of one kind, values or rates: that of the newest.
 */
function putColumn(
  window: SeriesWindow,
  timestamps: Float64Array,
  ageMs: number,
  table: Float64Array,
  width: number,
  column: number,
): void {
  const { timestamps: times, cleaned, first, end } = window;
  const newest = goodBefore(window, firstAfter(times, first, end, timestamps[timestamps.length - 1]));
  if (newest < first) return;
  let at = firstAfter(times, first, end, timestamps[0] - ageMs - 1);
  for (let row = 0; row < timestamps.length; row++) {
    for (; at <= newest && times[at] <= timestamps[row]; at++) {
      if (times[at] < timestamps[row] - ageMs || !isGood(window, at)) continue;
      table[row * width + column] = isCounter(window, at) === isCounter(window, newest) ? cleaned[at] : NaN;
    }
  }
}
