import type { Extraction, MetricDescription } from "../poller/extractor.js";
import type { InstantValue, SeriesSamples } from "../poller/prometheus-answer.js";
import type { Labels } from "../shared/frame.js";
import { internSeries } from "../shared/series.js";
import { isoTime } from "./explain-words.js";
import { countText, secondsText } from "./quantities.js";
import { textTable } from "./text-table.js";

const seriesText = ({ __name__: metric = "", ...labels }: Labels) =>
  internSeries(metric, labels, "unknown").key;

/** A line for each sample, series by series, in order of time. */
export function seriesLines(data: readonly SeriesSamples[]): string[] {
  if (data.length === 0) return ["Nothing."];
  const rows = data.flatMap(({ labels, timestamps, values }) => {
    const series = seriesText(labels);
    return [...timestamps].map((timestamp, i) => [series, isoTime(timestamp), String(values[i])]);
  });
  return textTable([{ title: "SERIES" }, { title: "TIME" }, { title: "VALUE", align: "right" }], rows);
}

/** A line for each series. */
export function valueLines(data: readonly InstantValue[]): string[] {
  if (data.length === 0) return ["Nothing."];
  return textTable(
    [{ title: "SERIES" }, { title: "VALUE", align: "right" }],
    data.map(({ labels, value }) => [seriesText(labels), String(value)]),
  );
}

export function describedLines(data: MetricDescription): string[] {
  const { metric, type, help, unit, series, labels } = data;
  const named = Object.entries(labels).map(([name, values]) => [name, countText(values)]);
  return [
    ...textTable(
      [
        { title: "METRIC" },
        { title: "TYPE" },
        { title: "UNIT" },
        { title: "SERIES", align: "right" },
        { title: "HELP" },
      ],
      [[metric, type, unit === "" ? "—" : unit, countText(series), help === "" ? "—" : help]],
    ),
    ...(named.length === 0
      ? []
      : ["", ...textTable([{ title: "LABEL" }, { title: "VALUES", align: "right" }], named)]),
  ];
}

export function versionLine(
  { version }: { readonly version: string },
  { source, metadata }: Extraction<unknown>,
): string[] {
  return [`${source}: Prometheus ${version} answers queries, in ${secondsText(metadata.tookMs / 1_000)}`];
}
