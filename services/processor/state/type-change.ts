import { type ValueForm, changesType, valueForms } from "../../kernels/convert/type-change.js";
import { type GivenValues, type MetricType, type Series, metricTypes } from "../../shared/frame.js";
import type { FeaturePlan } from "../feature-plan.js";
import { type SeriesWindow, entryKinds } from "./series-window.js";

/** A sample of another type, or another form, than the one before it. */
export interface TypeChange {
  readonly window: SeriesWindow;
  readonly series: Series;
  readonly timestamp: number;
  readonly from: SampleKind;
  readonly to: SampleKind;
}

export interface SampleKind {
  readonly type: MetricType;
  readonly form: ValueForm;
}

const NUMBER = valueForms.indexOf("number");
const NONE = valueForms.indexOf("none");

/** What the value of a sample looked like: index in `valueForms`. */
export function sampleForm(value: number, given: GivenValues | undefined, sample: number): number {
  if (given !== undefined) return given.forms[sample];
  return value - value === 0 ? NUMBER : NONE;
}

/** Whether the newest sample is of another type than the one before it, whose form was `formBefore`; null where it is not. */
export function typeChange(window: SeriesWindow, plan: FeaturePlan, formBefore: number): TypeChange | null {
  const { series, timestamps, types, kinds, first, end, newestForm } = window;
  const newest = end - 1;
  let before = newest - 1;
  while (before >= first && kinds[before] === entryKinds.filledIn) before--;
  if (before < first) return null;
  const timestamp = timestamps[newest];
  const isChange = changesType(
    timestamps[before],
    types[before],
    formBefore,
    timestamp,
    types[newest],
    newestForm,
    plan.lookbackMs,
  );
  if (!isChange) return null;
  const kind = (at: number, form: number) => ({ type: metricTypes[types[at]], form: valueForms[form] });
  return { window, series, timestamp, from: kind(before, formBefore), to: kind(newest, newestForm) };
}
