import { minimumOthers } from "../kernels/iqr.js";
import type { SampleOutcome } from "../processor/operators/remember.js";
import type { SampleKind } from "../processor/state/type-change.js";
import { type ChosenSeries, chosenText } from "./explain-choice.js";
import type { EntryExplanation, GapExplanation, OutlierExplanation, Sample } from "./explain-entry.js";
import type { Span } from "./explain-features.js";
import type { EmittedRow, Point, Reading } from "./explain-points.js";
import { type Explained, flagNames, isoTime, numberText, timeText } from "./explain-words.js";
import { durationText } from "./quantities.js";
import { textTable } from "./text-table.js";

/** More samples than this are told by the first and the last. */
const SAMPLES_SHOWN = 6;
const LABEL_WIDTH = 11;

export function headerLines(chosen: ChosenSeries, points: readonly Point[]): string[] {
  const count = (holds: (point: Point) => boolean | undefined) => points.filter(holds).length;
  const outliers = count(({ entry }) => entry?.outlier?.isOutlier);
  const filled = count(({ entry }) => entry?.gap?.isFilled);
  return [
    `${chosenText(chosen)}; times: ${points.length}, outliers: ${outliers}, filled in: ${filled}`,
    "Times are UTC, windows (after, to]; — is no value. Each time as it stood when its row last went out.",
  ];
}

/** One time of the series, step by step in the order of the pipeline. */
export function pointLines(point: Point, how: Explained): string[] {
  const { timestamp, readings, row, entry } = point;
  const time = (ms: number) => timeText(ms, timestamp);
  const steps: [string, string][] = readings.map((reading) => ["read", readingText(reading)]);
  if (readings.length === 0 && entry?.judged) steps.push(["read", `${numberText(entry.read)}, computed`]);
  if (readings.length > 0) steps.push(["rules", rulesText(readings, entry, how)]);
  if (entry !== null) {
    if (entry.judged !== null) steps.push(["judged by", judgedText(entry.judged, time)]);
    if (entry.outlier !== null && !isNothing(entry))
      steps.push(["outlier", outlierText(entry.outlier, time)]);
    if (entry.gap !== null) steps.push(["filled in", gapText(entry.gap, how, time)]);
    steps.push(["seen as", Number.isNaN(entry.seen) ? "—, in no window" : numberText(entry.seen)]);
  }
  steps.push(["row", rowText(point, how)]);
  return [
    `${isoTime(timestamp)}${entry === null ? "" : `  ${entry.type}`}`,
    ...steps.map(([label, text]) => `  ${label.padEnd(LABEL_WIDTH)}${text}`),
    ...(row === null || entry === null
      ? []
      : featureLines(row, entry, how.columns, time).map((line) => `  ${line}`)),
  ];
}

/** No value, nor a rate: there is nothing to judge. */
function isNothing({ judged }: EntryExplanation): boolean {
  return judged === null || !Number.isFinite(judged.value);
}

type TimeText = (ms: number) => string;

const outcomeTexts: Record<SampleOutcome, string> = {
  inserted: "came late, was inserted",
  replaced: "took the place of what was there",
  duplicate: "said again what was there",
  superseded: "gave way to what was there",
  too_late: "came too late for all that is remembered: a replay takes it in",
  needs_replay: "older rows than may be corrected depend on it: a replay rebuilds them",
};

function readingText({ line, value, isStale, conversionError, typeChange, outcomes }: Reading): string {
  const what = isStale ? "a stale marker, which is no sample" : numberText(value);
  const notes = outcomes.map((outcome) => outcomeTexts[outcome]);
  if (conversionError !== null) notes.unshift(`a text that has no number (${conversionError})`);
  if (typeChange !== null) notes.push(`${kindText(typeChange.to)} after ${kindText(typeChange.from)}`);
  return [`${what}, line ${line}`, ...notes].join("; ");
}

function kindText({ type, form }: SampleKind): string {
  return `${type} as ${form}`;
}

function rulesText(readings: readonly Reading[], entry: EntryExplanation | null, how: Explained): string {
  const broken = [...new Set(readings.flatMap((reading) => reading.broken))];
  const failed = [...new Set(readings.flatMap((reading) => reading.failed))];
  const unanswered = failed.length === 0 ? "" : `; no answer of ${failed.join(", ")}`;
  if (broken.length === 0) return `broke none${unanswered}`;
  const mode = how.strict ? "strict" : "lenient";
  const excluded = entry?.isExcluded ? "excluded from every window" : "not excluded";
  return `broke ${broken.join(", ")}: ${excluded} (${mode})${unanswered}`;
}

function judgedText({ by, value, samples }: NonNullable<EntryExplanation["judged"]>, time: TimeText): string {
  if (by === "value") return Number.isFinite(value) ? `its value, ${numberText(value)}` : "nothing";
  const what = Number.isFinite(value) ? `its rate, ${numberText(value)} a second` : "nothing: no rate";
  return `${what}, of ${samplesText(samples, time)}`;
}

function samplesText(samples: readonly Sample[], time: TimeText): string {
  const texts = samples.map(({ timestamp, value }) => `${time(timestamp)} ${numberText(value)}`);
  if (texts.length === 0) return "no samples";
  if (texts.length === 1) return `one sample, ${texts[0]}`;
  const shown = texts.length > SAMPLES_SHOWN ? `${texts[0]} … ${texts.at(-1)}` : texts.join(", ");
  return `${texts.length} samples: ${shown}`;
}

function outlierText(outlier: OutlierExplanation, time: TimeText): string {
  const { isOutlier, method, against, fences, score, action, left } = outlier;
  const verdict = isOutlier ? "yes" : "no";
  const done = { flag: "flagged, kept", remove: "removed", clip: `clipped to ${numberText(left)}` }[action];
  const what = isOutlier ? `; ${done}` : "";
  const limit =
    score === null
      ? ""
      : `score ${numberText(score.value)}, outliers above ${numberText(score.outlierAbove)}`;
  if (against === null) return `${verdict}: ${method} ${score?.imported}, fitted elsewhere, ${limit}${what}`;
  const window = `(${time(against.afterMs)}, ${time(against.toMs)}]`;
  const others = `the ${against.samples} others of ${window}`;
  if (score !== null && !Number.isNaN(score.value))
    return `${verdict}: ${method} fitted to the ${against.samples} of ${window}, ${limit}${what}`;
  if (score === null && !Number.isNaN(fences[0]))
    return `${verdict}: ${method} among ${others}, fences ${numberText(fences[0])} … ${numberText(fences[1])}${what}`;
  const reason = against.samples < minimumOthers ? `fewer than ${minimumOthers}` : "which give no scale";
  return `cannot be told: ${method} among ${others}, ${reason}`;
}

function gapText({ isFilled, value, before, after }: GapExplanation, how: Explained, time: TimeText): string {
  const end = (sample: Sample | null) =>
    sample === null ? "none" : `${time(sample.timestamp)} ${numberText(sample.value)}`;
  if (isFilled) return `${numberText(value)}, by ${how.imputation} between ${end(before)} and ${end(after)}`;
  return `no: the last value before it is ${end(before)}; gaps of up to ${durationText(how.maxGapMs)} between two values are filled`;
}

function rowText({ row, readings }: Point, { drops }: Explained): string {
  const isMeasured = readings.some(({ isStale, outcomes }) => !isStale && !outcomes.includes("too_late"));
  if (drops && isMeasured && (row === null || row.isRetracted))
    return "none: too many series of its entity have no sample at this time";
  if (row === null) return "none";
  if (row.isRetracted) return `gone: it had been filled in, line ${row.line} took it back`;
  const flags = flagNames(row.flags);
  return `${numberText(row.value)}, ${flags.length === 0 ? "no flags" : flags.join(", ")}, by line ${row.line}`;
}

function featureLines(
  { features }: EmittedRow,
  { spans }: EntryExplanation,
  columns: readonly string[],
  time: TimeText,
): string[] {
  const rows = columns.map((column, k) => [column, numberText(features[k]), ...spanCells(spans[k], time)]);
  return textTable(
    [
      { title: "FEATURE" },
      { title: "VALUE", align: "right" },
      { title: "WINDOW" },
      { title: "SAMPLES", align: "right" },
      { title: "FILLED IN", align: "right" },
      { title: "FIRST" },
      { title: "LAST" },
    ],
    rows,
  );
}

function spanCells(span: Span | null, time: TimeText): string[] {
  if (span === null) return ["—", "", "", "", ""];
  const { afterMs, toMs, samples, filledIn, firstMs, lastMs } = span;
  return [
    `(${time(afterMs)}, ${time(toMs)}]`,
    String(samples),
    String(filledIn),
    time(firstMs),
    time(lastMs),
  ];
}
