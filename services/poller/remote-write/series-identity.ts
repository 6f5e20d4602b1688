import type { Config } from "../../shared/config-schema.js";
import type { Entity, Labels } from "../../shared/frame.js";
import { compileMatch } from "../../shared/series-match.js";
import { internEntity } from "../../shared/series.js";
import { entityLabels } from "../frames.js";
import type { KnownSeries } from "./known-series.js";
import type { SeriesRefusal } from "./refusals.js";
import { type LabelLimits, seriesLabels } from "./series-labels.js";

/** Who a series is that was not seen of late, from its labels' names and values in turn. */
export type Identify = (
  namesAndValues: readonly (string | null)[],
  family: string | null,
) => KnownSeries | SeriesRefusal;

export function createIdentify(config: Config): Identify {
  const { labels_max, label_name_bytes_max, label_value_bytes_max } = config.extract.remote_write;
  const limits: LabelLimits = {
    labelsMax: labels_max,
    labelNameBytesMax: label_name_bytes_max,
    labelValueBytesMax: label_value_bytes_max,
  };
  const entityOf = compileEntities(config);
  return (namesAndValues, family) => {
    const found = seriesLabels(namesAndValues, limits);
    return typeof found === "string"
      ? found
      : { ...found, entity: entityOf(found.metric, found.labels), family, typed: null };
  };
}

/** The entity of the first template that matches, and else the receiver's own. */
function compileEntities({ extract, entities }: Config): (metric: string, labels: Labels) => Entity {
  const { templates, entity } = extract.remote_write;
  const rules = templates.map((name) => ({
    names: entities[extract.templates[name].entity],
    matches: extract.templates[name].selectors.map(compileMatch),
  }));
  return (metric, labels) => {
    const rule = rules.find(({ matches }) =>
      matches.some(({ captures }) => captures({ metric, labels }) !== null),
    );
    return internEntity(entityLabels(labels, rule?.names ?? entities[entity]));
  };
}
