import type { Labels } from "../../shared/frame.js";
import type { SeriesRefusal } from "./refusals.js";

export interface LabelLimits {
  readonly labelsMax: number;
  readonly labelNameBytesMax: number;
  readonly labelValueBytesMax: number;
}

/**
 * A series' metric and labels from names and values in turn; null stands for what is not UTF-8. Senders must sort labels,
 * but the order changes nothing, and Prometheus's own receiver does not ask for it either.
 * Source: Remote-Write 2.0, "Series Labels".
 */
export function seriesLabels(
  namesAndValues: readonly (string | null)[],
  limits: LabelLimits,
): { readonly metric: string; readonly labels: Labels } | SeriesRefusal {
  if (namesAndValues.length / 2 > limits.labelsMax) return "labels_too_many";
  const labels = new Map<string, string>();
  for (let i = 0; i < namesAndValues.length; i += 2) {
    const name = namesAndValues[i];
    const value = namesAndValues[i + 1];
    if (name === null || value === null) return "not_utf8";
    if (name === "" || value === "") return "label_empty";
    // No object can have it as a key of its own by assignment, as labels are kept all over.
    if (name === "__proto__") return "label_reserved";
    if (labels.has(name)) return "label_repeated";
    if (
      Buffer.byteLength(name) > limits.labelNameBytesMax ||
      Buffer.byteLength(value) > limits.labelValueBytesMax
    )
      return "label_too_long";
    labels.set(name, value);
  }
  const metric = labels.get("__name__");
  if (metric === undefined) return "name_missing";
  labels.delete("__name__");
  return { metric, labels: Object.fromEntries(labels) };
}
