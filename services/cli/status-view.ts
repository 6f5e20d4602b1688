import type { Latency } from "./latency-histogram.js";
import { bytesText, countText, secondsText } from "./quantities.js";
import { type StageName, type StatusReport, stageNames } from "./status-report.js";
import type { Paint } from "./terminal.js";
import { textTable } from "./text-table.js";

const columns = [
  { title: "STAGE" },
  { title: "STATE" },
  { title: "PER SECOND", align: "right" },
  { title: "LAG", align: "right" },
  { title: "P50", align: "right" },
  { title: "P99", align: "right" },
  { title: "MEMORY", align: "right" },
] as const;

/** The status as lines of at most 80 columns, unless a reason is longer. Latencies are recent ones, unless there are none. */
export function statusView(report: StatusReport, paint: Paint): string[] {
  const { recent, sinceStart } = report.scrapeToInfluxSeconds;
  const state = (ready: boolean) => (ready ? paint("green", "ready") : paint("red", "not ready"));
  const table = textTable(
    columns,
    stageNames.map((name) => {
      const stage = report.stages[name];
      const latency = stage.latencySeconds.recent.count > 0 ? "recent" : "sinceStart";
      const { p50, p99 } = stage.latencySeconds[latency];
      return [
        name,
        state(stage.ready),
        `${countText(stage.perSecond)} ${name === "sink" ? "rows" : "samples"}`,
        lagText(name, stage.lagMessages, stage.lagSeconds),
        secondsText(p50),
        secondsText(p99),
        bytesText(stage.residentBytes),
      ];
    }),
  );
  const notes = stageNames.flatMap((name) => {
    const { ready, reasons, failures } = report.stages[name];
    const why = ready ? [] : Object.values(reasons);
    const what = name === "poller" ? "failed polls" : "messages to metrics.dead";
    const failed = Object.entries(failures)
      .filter(([, count]) => count > 0)
      .map(([code, count]) => `${code}: ${countText(count)} ${what} since the start`);
    return [...why, ...failed].map((note) => `${name}: ${note}`);
  });
  if (report.stages.processor.lagMessages === null) notes.push("Kafka does not answer: the lag is not known");
  const [heading, ...rows] = table;
  return [
    `${paint("bold", "Millrace")}  ${state(report.ready)}  ${report.at.slice(11, 19)} UTC, over ${secondsText(report.overSeconds)}`,
    "",
    `  ${countText(report.samplesPerSecond)} samples a second   ${countText(report.rowsWritten)} rows written to InfluxDB`,
    `  scrape to InfluxDB:  ${latencyText(recent)}`,
    `     since the start:  ${latencyText(sinceStart)}`,
    "",
    paint("dim", heading),
    ...rows,
    ...(notes.length === 0 ? [] : ["", ...notes.map((note) => paint("yellow", note))]),
  ];
}

function latencyText({ count, p50, p95, p99 }: Latency): string {
  return count === 0 ? "—" : `p50 ${secondsText(p50)}  p95 ${secondsText(p95)}  p99 ${secondsText(p99)}`;
}

function lagText(name: StageName, messages: number | null, seconds: number | null): string {
  return name === "poller" ? secondsText(seconds) : `${countText(messages)} msg`;
}
