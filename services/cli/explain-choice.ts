import { distance } from "fastest-levenshtein";
import { compileMatch } from "../shared/series-match.js";
import { matchProblem, parseSelector } from "../shared/config-selector.js";
import { MillraceError } from "../shared/errors.js";
import type { Entity, Labels, Series } from "../shared/frame.js";
import { parseEntityFilter } from "./entity-filter.js";

/** More series, and more names that are near, are no help. */
const SERIES_SHOWN = 8;
const NAMES_SHOWN = 3;

export interface ChosenSeries {
  readonly entity: Entity;
  readonly series: Series;
}

/** Which of the series that are seen a selector means. */
export interface SeriesChoice {
  readonly see: (entity: Entity, series: readonly Series[]) => void;
  /** Those that match so far. */
  readonly matches: readonly ChosenSeries[];
  /** Throws USAGE_INVALID unless exactly one matches. */
  readonly theOne: (place: string) => ChosenSeries;
}

/** A label of the entity is one of its series, too: their samples need not repeat it. Throws USAGE_INVALID. */
export function openChoice(selector: string, entityFilter: string | undefined): SeriesChoice {
  const problem = matchProblem(selector);
  if (problem !== null) throw new MillraceError("USAGE_INVALID", `No selector: ${problem}.`);
  const match = compileMatch(selector);
  const wanted = entityFilter === undefined ? {} : parseEntityFilter(entityFilter);
  const known = new Map<Entity, Map<string, Series>>();
  /** By identity, since an object of a known series is seen again and again. */
  const seen = new WeakMap<Entity, WeakSet<Series>>();
  const matches: ChosenSeries[] = [];

  const add = (entity: Entity, series: Series) => {
    let ofEntity = known.get(entity);
    if (ofEntity === undefined) known.set(entity, (ofEntity = new Map<string, Series>()));
    if (ofEntity.has(series.key)) return;
    ofEntity.set(series.key, series);
    const labels = { ...entity.labels, ...series.labels };
    if (has(entity.labels, wanted) && match.captures({ ...series, labels }) !== null)
      matches.push({ entity, series });
  };
  return {
    matches,
    see: (entity, all) => {
      let objects = seen.get(entity);
      if (objects === undefined) seen.set(entity, (objects = new WeakSet()));
      for (const series of all) {
        if (objects.has(series)) continue;
        objects.add(series);
        add(entity, series);
      }
    },
    theOne: (place) => {
      if (matches.length === 1) return matches[0];
      const all = [...known].flatMap(([entity, ofEntity]) =>
        [...ofEntity.values()].map((series) => ({ entity, series })),
      );
      throw new MillraceError(
        "USAGE_INVALID",
        matches.length > 1 ? manyText(selector, matches) : noneText(selector, all, place),
      );
    },
  };
}

/** `cpu{mode="idle"} of {job="api"}`. */
export function chosenText({ entity, series }: ChosenSeries): string {
  return `${series.key} of ${entity.key}`;
}

function has(labels: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(
    ([name, value]) => Object.hasOwn(labels, name) && labels[name] === value,
  );
}

function manyText(selector: string, matches: readonly ChosenSeries[]): string {
  return `${matches.length} series match ${selector}: ${listText(matches.map(chosenText))}. Name labels that only one has.`;
}

function noneText(selector: string, all: readonly ChosenSeries[], place: string): string {
  if (all.length === 0) return `There is no series in ${place}.`;
  const metric = metricOf(selector);
  const ofMetric = all.filter(({ series }) => series.metric === metric);
  const found = `No series in ${place} matches ${selector}`;
  if (ofMetric.length > 0) return `${found}; of this name are ${listText(ofMetric.map(chosenText))}.`;
  const names = [...new Set(all.map(({ series }) => series.metric))];
  const wanted = metric ?? selector;
  const nearest = names
    .map((name) => ({ name, away: distance(wanted.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.away - b.away)
    .map(({ name }) => name);
  return `${found}; the nearest names are ${listText(nearest.slice(0, NAMES_SHOWN))}.`;
}

function metricOf(selector: string): string | undefined {
  const matchers = parseSelector(selector);
  if (typeof matchers === "string") return undefined;
  return matchers.find(({ label, operator }) => label === "__name__" && operator === "=")?.value;
}

function listText(names: readonly string[]): string {
  const more = names.length - SERIES_SHOWN;
  return names.slice(0, SERIES_SHOWN).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
