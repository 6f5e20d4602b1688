import type { Config } from "../shared/config-schema.js";
import type { ErrorCode } from "../shared/errors.js";
import type { Labels } from "../shared/frame.js";

/** What one job may read, the same for each: a wrong selector must not fill memory, Kafka and InfluxDB. */
export type Limits = Config["extract"]["limits"];

/** Why something that a template matches is left out. */
export const leftOutCodes = [
  "LIMIT_SERIES",
  "LIMIT_LABELS",
  "LIMIT_LABEL_NAME",
  "LIMIT_LABEL_VALUE",
  "LIMIT_SAMPLES",
  "RELABEL_NO_NAME",
  "RELABEL_SAME_SERIES",
] as const satisfies readonly ErrorCode[];
export type LeftOutCode = (typeof leftOutCodes)[number];

/** Which limit a label set, with `__name__`, is over; null: none. Lengths are bytes, as Prometheus counts them. */
export function labelsOverLimit(labels: Labels, limits: Limits): LeftOutCode | null {
  const names = Object.keys(labels);
  if (names.length > limits.labels_max) return "LIMIT_LABELS";
  for (const name of names) {
    if (isLonger(name, limits.label_name_bytes_max)) return "LIMIT_LABEL_NAME";
    if (isLonger(labels[name], limits.label_value_bytes_max)) return "LIMIT_LABEL_VALUE";
  }
  return null;
}

/** A character is three bytes at the most, so that most texts need not be looked at. */
function isLonger(text: string, bytesMax: number): boolean {
  return text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax;
}

/** The places in `samples` of those that are too many together: the first ones of the order given fit. */
export function samplesOverLimit(
  samples: readonly number[],
  order: readonly number[],
  samplesMax: number,
): number[] {
  let sum = 0;
  return order.filter((i) => {
    if (sum + samples[i] > samplesMax) return true;
    sum += samples[i];
    return false;
  });
}
