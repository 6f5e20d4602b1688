import { mean } from "../mean-and-deviation.js";
import type { ImputerDeclaration, WindowOptions } from "./declaration.js";
import { fillFrom, fillableCells } from "./gaps.js";
import { median } from "./mean-median.js";

export interface GroupOptions extends WindowOptions {
  readonly statistic: "mean" | "median";
}

export const groupImputer: ImputerDeclaration<GroupOptions> = {
  name: "group",
  lookbackMs: ({ windowMs }) => windowMs,
  needsFarEnd: false,
};

/**
 * Fills a table of one metric (row-major, one row a timestamp, `columns` series) with the mean or median of the cell's group:
 * pandas `groupby(groups).transform('mean')`. `groups` is each cell's group, an integer from 0 on, say the number of its
 * service or of its hour; a group without values takes the statistic of the whole table. Results as of `meanFill`.
 */
export function groupFill(
  options: GroupOptions,
  timestamps: Float64Array,
  values: Float64Array,
  columns: number,
  groups: Int32Array,
  out: Float64Array,
  filled: Uint8Array,
): void {
  const statistic = options.statistic === "mean" ? mean : median;
  const whole = statistic(values, 0, values.length);
  const ofGroup = membersOf(values, groups).map((members) => statistic(members, 0, members.length));
  const estimates = values.map((_, i) => {
    const estimate = ofGroup[groups[i]];
    return Number.isNaN(estimate) ? whole : estimate;
  });
  fillFrom(estimates, values, fillableCells(timestamps, values, columns, options.maxGapMs), out, filled);
}

/** The values of each group, in the table's order. */
function membersOf(values: Float64Array, groups: Int32Array): Float64Array[] {
  const count = groups.reduce((most, group) => Math.max(most, group + 1), 0);
  const members = Array.from({ length: count }, (): number[] => []);
  values.forEach((value, i) => members[groups[i]].push(value));
  return members.map((some) => Float64Array.from(some));
}
