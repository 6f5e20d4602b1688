import type { MetricType } from "../../shared/frame.js";
import { metricTypeOf } from "../metric-types.js";

/** Type words by their numbers, which are the same in MetricMetadata of 1.0 and Metadata of 2.0; 0 says nothing. */
export const metadataTypes: ReadonlyMap<number, string> = new Map([
  [1, "counter"],
  [2, "gauge"],
  [3, "histogram"],
  [4, "gaugehistogram"],
  [5, "summary"],
  [6, "info"],
  [7, "stateset"],
]);

/** Families beyond so many are not remembered; their series have the type that their suffix tells. */
const FAMILIES_MAX = 100_000;

/** The types of the metrics that are pushed, as far as senders have told them. */
export interface PushedTypes {
  /** Metric families and their type words. */
  readonly learn: (families: ReadonlyMap<string, string>) => void;
  /**
   * What Kafka says of the type: senders of 1.0 tell it once a minute, and what a receiver that was killed had heard of it
   * is only there.
   */
  readonly restore: (metric: string, type: MetricType) => void;
  /** `family` is the type word that came with the series, null where none came. */
  readonly of: (metric: string, family: string | null) => MetricType;
  /** Counts the changes of what `of` answers. */
  readonly version: () => number;
}

export function createPushedTypes(familiesMax = FAMILIES_MAX): PushedTypes {
  const families = new Map<string, string>();
  const restored = new Map<string, MetricType>();
  let version = 0;
  return {
    learn: (told) => {
      for (const [family, word] of told) {
        if (families.get(family) === word || (!families.has(family) && families.size >= familiesMax))
          continue;
        families.set(family, word);
        version++;
      }
    },
    restore: (metric, type) => {
      if (type === "unknown" || restored.get(metric) === type) return;
      if (!restored.has(metric) && restored.size >= familiesMax) return;
      restored.set(metric, type);
      version++;
    },
    of: (metric, family) => {
      const type = metricTypeOf(
        metric,
        family === null ? families : new Map([[familyName(metric, family), family]]),
      );
      return type === "unknown" ? (restored.get(metric) ?? type) : type;
    },
    version: () => version,
  };
}

/** 2.0 names the family's type with each series, not the family: the parts of composed types have its name and a suffix. */
function familyName(metric: string, word: string): string {
  if (word !== "histogram" && word !== "gaugehistogram" && word !== "summary") return metric;
  return /^(.+)_(?:bucket|sum|count|gsum|gcount|created)$/.exec(metric)?.[1] ?? metric;
}
