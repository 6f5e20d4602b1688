import { z } from "zod";
import { fitVersion } from "../kernels/scale/fitted-on.js";
import type { ScalerFit, transformScaled } from "../kernels/scale/scalers.js";
import { readJsonFile } from "./config-json-file.js";
import type { Labels } from "./frame.js";
import { internEntity } from "./series.js";

/** What of a series is scaled: its values, or a counter's per-second rates. */
export const scaledKinds = ["value", "rate"] as const;
export type ScaledKind = (typeof scaledKinds)[number];

/** The fit of one series, which `fit.fittedOn.columns` names. */
export interface SeriesFit {
  readonly entity: Labels;
  readonly of: ScaledKind;
  readonly fit: ScalerFit;
}

/** By the keys of entity and series, the fits of the series' values and of its rates. */
export type ScalingFits = ReadonlyMap<string, ReadonlyMap<string, Partial<Record<ScaledKind, ScalerFit>>>>;

/** Of the file. Another meaning of a field is another version. */
const FILE_VERSION = 1;

const count = z.int().min(1);
const head = {
  version: z.literal(fitVersion),
  fittedOn: z.strictObject({ columns: z.tuple([z.string()]), fromMs: z.int(), toMs: z.int() }),
};
const centred = z.tuple([z.strictObject({ count, centre: z.number(), scale: z.number().positive() })]);

const fit = z.discriminatedUnion("scaler", [
  z.strictObject({
    scaler: z.literal("min_max"),
    ...head,
    columns: z.tuple([
      z.strictObject({
        count,
        minimum: z.number(),
        maximum: z.number(),
        scale: z.number().positive(),
        shift: z.number(),
      }),
    ]),
  }),
  z.strictObject({ scaler: z.literal("z_score"), ...head, columns: centred }),
  z.strictObject({ scaler: z.literal("robust"), ...head, columns: centred }),
]) satisfies z.ZodType<ScalerFit>;

const fitsFile = z.strictObject({
  version: z.literal(FILE_VERSION),
  fits: z.array(z.strictObject({ entity: z.record(z.string(), z.string()), of: z.enum(scaledKinds), fit })),
});

/** The lines of a file of fits, one a fit. */
export function* fitsLines(fits: Iterable<SeriesFit>): Generator<string> {
  yield `{"version":${FILE_VERSION},"fits":[\n`;
  let before = "";
  for (const one of fits) {
    if (before !== "") yield `${before},\n`;
    before = JSON.stringify(one);
  }
  yield `${before}\n]}\n`;
}

/** The fits that a file holds; or, where it holds none, a text that says why. */
export function readScalingFits(file: string): ScalingFits | string {
  const read = readJsonFile(file);
  if (typeof read === "string") return read;
  const parsed = fitsFile.safeParse(read.json);
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues;
    const place = path.length === 0 ? "" : `${path.map(String).join(".")}: `;
    return `${file} holds no fits of \`millrace fit\`: ${place}${message}`;
  }
  return indexed(file, parsed.data.fits);
}

function indexed(file: string, fits: readonly SeriesFit[]): ScalingFits | string {
  const byEntity = new Map<string, Map<string, Partial<Record<ScaledKind, ScalerFit>>>>();
  for (const [i, one] of fits.entries()) {
    const { key } = internEntity(one.entity);
    const [series] = one.fit.fittedOn.columns;
    const bySeries = byEntity.get(key) ?? new Map<string, Partial<Record<ScaledKind, ScalerFit>>>();
    byEntity.set(key, bySeries);
    const known = bySeries.get(series) ?? {};
    bySeries.set(series, known);
    if (known[one.of] !== undefined) return `${file}: fits.${i} is a second one for ${series} of ${key}`;
    known[one.of] = one.fit;
  }
  return byEntity;
}

/** The fit of a series; undefined where there is none. */
export function fitOf(
  fits: ScalingFits,
  entityKey: string,
  seriesKey: string,
  kind: ScaledKind,
): ScalerFit | undefined {
  return fits.get(entityKey)?.get(seriesKey)?.[kind];
}

/** What a fit makes of a value; NaN where there is no such fit, or no finite value. */
export type Scaling = (entityKey: string, seriesKey: string, kind: ScaledKind, value: number) => number;

/** Scales by the fits, or takes that back: `change` is `transformScaled` or `inverseScaled`. */
export function scalingBy(fits: ScalingFits, change: typeof transformScaled): Scaling {
  const cell = new Float64Array(1);
  return (entityKey, seriesKey, kind, value) => {
    const fit = fitOf(fits, entityKey, seriesKey, kind);
    if (fit === undefined || value - value !== 0) return NaN;
    cell[0] = value;
    change(fit, cell, cell, 0);
    return cell[0];
  };
}
