import { jsonValue } from "../shared/frame-json.js";
import type { ChosenSeries } from "./explain-choice.js";
import type { EntryExplanation, OutlierExplanation } from "./explain-entry.js";
import type { Span } from "./explain-features.js";
import type { EmittedRow, Point } from "./explain-points.js";
import { type Explained, flagNames, isoTime } from "./explain-words.js";

/** One time of the series as a JSON line; numbers as they are, null where there is none, times in milliseconds. */
export function pointLine({ entity, series }: ChosenSeries, point: Point, how: Explained): string {
  const { timestamp, readings, row, entry } = point;
  return JSON.stringify(
    {
      series: series.key,
      entity: entity.labels,
      timestamp,
      time: isoTime(timestamp),
      readings: readings.map(({ isStale, ...reading }) => ({ ...reading, stale: isStale })),
      ...(entry === null ? {} : entryJson(entry, how)),
      row: row === null ? null : rowJson(row),
      features: row === null || entry === null ? null : featuresJson(row, entry, how.columns),
    },
    jsonValue,
  );
}

function entryJson({ type, read, isExcluded, judged, outlier, gap, seen }: EntryExplanation, how: Explained) {
  return {
    type,
    read,
    rules: { mode: how.strict ? "strict" : "lenient", excluded: isExcluded },
    judged,
    outlier: outlier === null ? null : outlierJson(outlier),
    filled:
      gap === null
        ? null
        : {
            done: gap.isFilled,
            method: how.imputation,
            value: gap.value,
            before: gap.before,
            after: gap.after,
          },
    seen,
  };
}

function outlierJson({
  isOutlier,
  method,
  against,
  fences,
  score,
  action,
  left,
}: OutlierExplanation): object {
  return {
    found: isOutlier,
    method,
    against: against === null ? null : spanJson(against),
    fences,
    ...(score === null
      ? {}
      : { score: score.value, outlierAbove: score.outlierAbove, fittedElsewhere: score.imported }),
    action: isOutlier ? action : null,
    left,
  };
}

function rowJson({ line, isRetracted, value, flags }: EmittedRow): object {
  return { line, retracted: isRetracted, value, flags: flagNames(flags) };
}

function featuresJson({ features }: EmittedRow, { spans }: EntryExplanation, columns: readonly string[]) {
  return Object.fromEntries(
    columns.map((column, k) => {
      const span = spans[k];
      return [column, { value: features[k], from: span === null ? null : spanJson(span) }];
    }),
  );
}

function spanJson({ afterMs, toMs, samples, filledIn, firstMs, lastMs }: Span): object {
  return { after: afterMs, to: toMs, samples, filledIn, first: firstMs, last: lastMs };
}
