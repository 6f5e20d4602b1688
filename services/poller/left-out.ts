import { MillraceError } from "../shared/errors.js";
import type { Outage } from "../shared/outage.js";
import { type LeftOutCode, type Limits, leftOutCodes } from "./limits.js";
import { excerpt } from "./prometheus-answer.js";

/** What a job's limits and rules leave out. */
export interface LeftOut {
  /** How many of the series that are known now, and one of them. */
  readonly series: ReadonlyMap<LeftOutCode, { count: number; example: string }>;
  /** Samples of the window that was read last. */
  readonly samples: number;
  /** Whether samples were left out of it, or of one not long before. */
  readonly isSamplesLimited: boolean;
}

/** Tells once of each reason why something is left out, and of the end when nothing is. */
export function tellLeftOut(leftOut: LeftOut, limits: Limits, outage: Outage): void {
  const codes = leftOutCodes.filter((code) =>
    code === "LIMIT_SAMPLES" ? leftOut.isSamplesLimited : leftOut.series.has(code),
  );
  for (const code of codes) outage.failed(new MillraceError(code, wordsOf(code, leftOut, limits)));
  if (codes.length === 0) outage.ended();
}

function wordsOf(code: LeftOutCode, { series, samples }: LeftOut, limits: Limits): string {
  const { count, example } = series.get(code) ?? { count: 0, example: "" };
  const of = `${count} series left out, such as ${excerpt(example)}:`;
  switch (code) {
    case "LIMIT_SERIES":
      return `${of} the job has ${limits.series_max} others.`;
    case "LIMIT_LABELS":
      return `${of} they have more than ${limits.labels_max} labels.`;
    case "LIMIT_LABEL_NAME":
      return `${of} a label's name is longer than ${limits.label_name_bytes_max} bytes.`;
    case "LIMIT_LABEL_VALUE":
      return `${of} a label's value is longer than ${limits.label_value_bytes_max} bytes.`;
    case "LIMIT_SAMPLES":
      return `${samples} samples left out of a window: it holds more than ${limits.samples_max}.`;
    case "RELABEL_NO_NAME":
      return `${of} the rules leave them no name.`;
    case "RELABEL_SAME_SERIES":
      return `${of} the rules make them the same series as another.`;
  }
}
