import type { Window } from "../poller/window.js";
import { isoTime } from "./explain-words.js";
import { countText } from "./quantities.js";
import type { Paint } from "./terminal.js";
import { textTable } from "./text-table.js";
import type { SeriesVerdict } from "./verify-compare.js";

/** What of a source was compared, and what came of it. */
export interface Verification {
  readonly source: string;
  /** (from, to], milliseconds since the epoch. */
  readonly range: Window;
  /** Why that is less than was asked for; null where it is not. */
  readonly remark: string | null;
  readonly verdicts: readonly SeriesVerdict[];
}

export function isDifferent({ missing, extra, doubled, different }: SeriesVerdict): boolean {
  return missing + extra + doubled + different > 0;
}

/** A person reads no more of them; --json has all. */
const LINES_MAX = 50;

const kinds = ["missing", "extra", "doubled", "different"] as const;

export function verificationLines(verification: Verification, paint: Paint): string[] {
  const { source, range, remark, verdicts } = verification;
  const differing = verdicts.filter(isDifferent);
  const sum = (what: "prometheus" | "kafka" | (typeof kinds)[number]) =>
    verdicts.reduce((total, verdict) => total + verdict[what], 0);
  const compared =
    `${source}: ${countText(verdicts.length)} series from ${isoTime(range.from)} to ${isoTime(range.to)}, ` +
    `${countText(sum("prometheus"))} samples in Prometheus, ${countText(sum("kafka"))} in Kafka`;
  const found = kinds.filter((kind) => sum(kind) > 0).map((kind) => `${countText(sum(kind))} ${kind}`);
  const outcome =
    differing.length === 0
      ? paint("green", "the same on both sides")
      : paint("red", `${countText(differing.length)} series differ: ${found.join(", ")}`);
  const lines = [`${compared}: ${outcome}`, ...(remark === null ? [] : [remark])];
  if (differing.length === 0) return lines;
  const table = textTable(
    [
      { title: "SERIES" },
      { title: "PROMETHEUS", align: "right" },
      { title: "KAFKA", align: "right" },
      ...kinds.map((kind) => ({ title: kind.toUpperCase(), align: "right" as const })),
      { title: "FIRST" },
    ],
    differing
      .slice(0, LINES_MAX)
      .map((verdict) => [
        verdict.series,
        countText(verdict.prometheus),
        countText(verdict.kafka),
        ...kinds.map((kind) => countText(verdict[kind])),
        verdict.firstMs === null ? "" : isoTime(verdict.firstMs),
      ]),
  );
  const [heading, ...rows] = table;
  const rest = differing.length - LINES_MAX;
  return [
    ...lines,
    "",
    paint("dim", heading),
    ...rows,
    ...(rest > 0 ? [`… and ${countText(rest)} more`] : []),
  ];
}

/** One object; times are ISO 8601. */
export function verificationJson(verifications: readonly Verification[]): string {
  const sources = verifications.map(({ source, range, remark, verdicts }) => ({
    source,
    from: isoTime(range.from),
    to: isoTime(range.to),
    ...(remark === null ? {} : { remark }),
    series: verdicts.length,
    prometheus: verdicts.reduce((sum, { prometheus }) => sum + prometheus, 0),
    kafka: verdicts.reduce((sum, { kafka }) => sum + kafka, 0),
    differences: verdicts
      .filter(isDifferent)
      .map(({ firstMs, ...verdict }) => ({ ...verdict, first: firstMs === null ? null : isoTime(firstMs) })),
  }));
  return JSON.stringify(
    { same: sources.every(({ differences }) => differences.length === 0), sources },
    null,
    2,
  );
}
