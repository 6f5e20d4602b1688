import { of } from "rxjs";
import { conversionErrors } from "../kernels/convert/conversion.js";
import { type FeaturePlan, featurePlan } from "../processor/feature-plan.js";
import type { SampleOutcome } from "../processor/operators/remember.js";
import { transform } from "../processor/pipeline.js";
import { compileRules } from "../processor/rules/compile-rules.js";
import { openFrameJudge } from "../processor/rules/judge-frame.js";
import { openPartitionState } from "../processor/state/partition-state.js";
import { type SeriesWindow, entryAt } from "../processor/state/series-window.js";
import type { TypeChange } from "../processor/state/type-change.js";
import type { Config } from "../shared/config-schema.js";
import type { FeatureFrame, RawFrame } from "../shared/frame.js";
import type { SeriesChoice } from "./explain-choice.js";
import { type EntryExplanation, explainEntry } from "./explain-entry.js";
import { spansOfColumns } from "./explain-features.js";

/** A sample of the series as a frame had it, and what came of it. */
export interface Reading {
  readonly line: number;
  readonly value: number;
  readonly isStale: boolean;
  /** Why a text has no number; null where there is nothing to say. */
  readonly conversionError: string | null;
  /** Of the type or form of the sample before it, where that was another. */
  typeChange: Pick<TypeChange, "from" | "to"> | null;
  /** Rules that it broke, and rules that had no answer, by name. */
  readonly broken: string[];
  readonly failed: string[];
  /** What else came of it than that it was appended. */
  readonly outcomes: SampleOutcome[];
}

/** The row of a time as it was emitted last. */
export interface EmittedRow {
  /** Of the frame that caused it. */
  readonly line: number;
  readonly isRetracted: boolean;
  readonly value: number;
  readonly flags: number;
  readonly features: Float64Array;
}

/** All that is known of one time of the series. */
export interface Point {
  readonly timestamp: number;
  readonly readings: Reading[];
  row: EmittedRow | null;
  /** Null where the time has no row. */
  entry: EntryExplanation | null;
}

export interface Points {
  readonly add: (frame: RawFrame, line: number) => void;
  /** By time; only the wanted one, where there is one. */
  readonly points: ReadonlyMap<number, Point>;
  /** All times of the series. */
  readonly times: ReadonlySet<number>;
  readonly plan: FeaturePlan;
}

/**
 * Runs frames through the processor's operators, each as a batch of its own, and explains the chosen series' rows each time
 * they are emitted. What a late frame changes without any row being different, such as fences, is explained again while
 * the row could still be corrected: so what holds in the end is what was decided last, and with all that it depended on.
 */
export function openPoints(config: Config, choice: SeriesChoice, wantedMs: number | null): Points {
  const plan = featurePlan(config);
  const rules = compileRules(config.transform.cleaning.rules);
  const spansOf = spansOfColumns(config, plan);
  const state = openPartitionState();
  const points = new Map<number, Point>();
  const times = new Set<number>();
  /** The readings of the frame at hand, by their place in it. */
  let readings = new Map<number, Reading>();
  const operator = transform(
    {
      plan,
      strict: config.transform.cleaning.validation_rules === "strict",
      judge: openFrameJudge(rules, {
        broken: (rule, place) => void readings.get(place)?.broken.push(rules.names[rule]),
        failed: (rule, place) => void readings.get(place)?.failed.push(rules.names[rule]),
      }),
      count: (outcome, _, place) => {
        // Without a place it is said of all.
        if (place !== undefined) readings.get(place)?.outcomes.push(outcome);
        else for (const reading of readings.values()) reading.outcomes.push(outcome);
      },
      onTypeChange: ({ series, from, to }) => {
        if (series.key !== choice.matches.at(0)?.series.key) return;
        for (const reading of readings.values()) reading.typeChange ??= { from, to };
      },
    },
    state,
  );

  const pointAt = (timestamp: number): Point | null => {
    times.add(timestamp);
    if (wantedMs !== null && timestamp !== wantedMs) return null;
    let point = points.get(timestamp);
    if (point === undefined)
      points.set(timestamp, (point = { timestamp, readings: [], row: null, entry: null }));
    return point;
  };
  const takeRow = (rows: FeatureFrame): Point[] => {
    const { entity, series } = choice.matches[0];
    const at = rows.entity === entity ? rows.series.findIndex(({ key }) => key === series.key) : -1;
    const point = at < 0 ? null : pointAt(rows.timestamp);
    if (point === null) return [];
    point.row = emittedRow(rows, at, plan.columns.length);
    return [point];
  };
  const correctable = (timestamp: number, { watermark }: { watermark: number }): Point[] => {
    const from = Math.max(timestamp, watermark - plan.latenessMs - plan.reachBackMs);
    return timestamp < watermark ? [...points.values()].filter((point) => point.timestamp >= from) : [];
  };
  const explain = (window: SeriesWindow, point: Point) => {
    const at = entryAt(window, point.timestamp);
    if (point.row === null) return;
    if (point.row.isRetracted) point.entry = null;
    else if (at >= 0) point.entry = explainEntry(window, plan, at, spansOf);
  };

  return {
    points,
    times,
    plan,
    add: (frame, line) => {
      choice.see(frame.entity, frame.series);
      readings = new Map();
      if (choice.matches.length === 1) {
        readings = readingsOf(frame, choice, line);
        const point = readings.size > 0 ? pointAt(frame.timestamp) : null;
        point?.readings.push(...readings.values());
      }
      // Nothing will be explained; what is read from now on only says which series there are.
      if (choice.matches.length > 1) return;
      const emitted: FeatureFrame[] = [];
      of({ offset: line, frame })
        .pipe(operator)
        .subscribe((rows) => void emitted.push(rows));
      for (const rows of emitted) choice.see(rows.entity, rows.series);
      if (choice.matches.length !== 1) return;
      const { entity, series } = choice.matches[0];
      const known = frame.entity === entity ? state.entities.get(entity.key) : undefined;
      const window = known?.windows.get(series.key);
      if (known === undefined || window === undefined) return;
      const touched = new Set(emitted.flatMap((rows) => takeRow(rows)));
      for (const point of correctable(frame.timestamp, known)) touched.add(point);
      for (const point of touched) explain(window, point);
    },
  };
}

function readingsOf(
  { entity, series, values, stale, given }: RawFrame,
  { matches }: SeriesChoice,
  line: number,
) {
  const [chosen] = matches;
  const readings = new Map<number, Reading>();
  if (entity !== chosen.entity) return readings;
  series.forEach(({ key }, place) => {
    if (key !== chosen.series.key) return;
    const reading = { line, value: values[place], isStale: stale[place] === 1 };
    const error = given?.errors[place] ?? 0;
    readings.set(place, {
      ...reading,
      conversionError: error === 0 ? null : conversionErrors[error],
      typeChange: null,
      broken: [],
      failed: [],
      outcomes: [],
    });
  });
  return readings;
}

function emittedRow(rows: FeatureFrame, at: number, width: number): EmittedRow {
  return {
    line: rows.revision,
    isRetracted: rows.retracted,
    value: rows.values[at],
    flags: rows.flags[at],
    features: rows.features.slice(at * width, (at + 1) * width),
  };
}
