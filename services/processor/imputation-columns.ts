import type { Series } from "../shared/frame.js";
import { compileMatch, labelOf } from "../shared/series-match.js";

/** A series of an entity that has a value where a filler looks. */
export interface Present {
  readonly series: Series;
  /** Whether it is its rates that windows see. */
  readonly isCounter: boolean;
}

/**
 * Which series of an entity stand in the columns of the table that a gap of one of them is filled in: indices in `present`, which
 * has them in the order of their keys, the gap's own at `own`; −1 for a column that none stands in. Null: the gap stays open.
 * Gaps that have the same columns, and the same times, are filled at once.
 */
export type ColumnsOf = (own: number, present: readonly Present[]) => readonly number[] | null;

/** The entity's series in as few runs of equal length as `max` a table allows: that which the gap's own is in. */
export function anySeries(max: number): ColumnsOf {
  return (own, present) =>
    runOf(
      own,
      present.map((_, i) => i),
      max,
    );
}

/** The same, of those of the same metric and kind whose values of these labels are the gap's own. */
export function sameLabels(labels: readonly string[], max: number): ColumnsOf {
  return (own, present) => {
    const { series, isCounter } = present[own];
    const isMember = (other: Present) =>
      other.series.metric === series.metric &&
      other.isCounter === isCounter &&
      labels.every((label) => labelOf(other.series, label) === labelOf(series, label));
    const members = present.flatMap((other, i) => (isMember(other) ? [i] : []));
    return runOf(own, members, max);
  };
}

function runOf(own: number, members: readonly number[], max: number): readonly number[] {
  const runs = Math.ceil(members.length / max);
  const borderOf = (run: number) => Math.floor((run * members.length) / runs);
  const run = Math.ceil(((members.indexOf(own) + 1) * runs) / members.length) - 1;
  return members.slice(borderOf(run), borderOf(run + 1));
}

/**
 * A column for each selector, in their order: the gap's own series in the first one that selects it, and in each other one the
 * first series that it selects. A series that none selects is not filled.
 */
export function selectedSeries(selectors: readonly string[]): ColumnsOf {
  const matches = selectors.map(compileMatch);
  /** A cache: by series, the columns that select it. */
  const known = new WeakMap<Series, readonly boolean[]>();
  const selecting = ({ series }: Present): readonly boolean[] => {
    let columns = known.get(series);
    if (columns === undefined) {
      columns = matches.map(({ captures }) => captures(series) !== null);
      known.set(series, columns);
    }
    return columns;
  };
  return (own, present) => {
    const ownColumn = selecting(present[own]).indexOf(true);
    if (ownColumn < 0) return null;
    return matches.map((_, column) =>
      column === ownColumn ? own : present.findIndex((other, i) => i !== own && selecting(other)[column]),
    );
  };
}
