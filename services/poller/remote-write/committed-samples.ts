import type { Series } from "../../shared/frame.js";

/** What `add` found. */
export type Novelty = "new" | "committed" | "other value";

/**
 * Which samples are in Kafka already, of those that came of late: a sender that got no answer sends again, and each
 * (series, millisecond, value) is to be sent once. sent-samples.ts remembers by event time, up to a watermark that nobody
 * can know of what is pushed; here it is by when a sample came, since what is sent again may be of any event time.
 */
export interface CommittedSamples {
  /** Whether the sample is remembered; it is from now on. `value` means nothing where it is stale. */
  readonly add: (series: Series, timestamp: number, value: number, stale: boolean) => Novelty;
  /** Begins another age, and forgets all but the one that ends. */
  readonly nextAge: () => void;
  /** How many samples are remembered. */
  readonly size: () => number;
}

interface Remembered {
  readonly key: string;
  /** In the order that they came; a stale marker half a millisecond after its time, as no sample is. */
  times: number[];
  values: number[];
  /** Index of the first that is not forgotten. */
  first: number;
  newest: number;
}

/** Samples in the order that they came, by the series they are of: the oldest of all is its series' oldest. */
interface Age {
  readonly order: Remembered[];
  /** Index of the first that is not forgotten. */
  first: number;
}

/** `maxSamples`: beyond them the oldest are forgotten, whatever their age. */
export function createCommittedSamples(maxSamples: number): CommittedSamples {
  const bySeries = new Map<string, Remembered>();
  let current: Age = { order: [], first: 0 };
  let previous: Age = { order: [], first: 0 };
  const sizeOf = ({ order, first }: Age) => order.length - first;
  const size = () => sizeOf(previous) + sizeOf(current);

  function forgetOldest(age: Age): void {
    const series = age.order[age.first++];
    series.first++;
    if (series.first === series.times.length) bySeries.delete(series.key);
    else if (series.first > series.times.length / 2) {
      series.times = series.times.slice(series.first);
      series.values = series.values.slice(series.first);
      series.first = 0;
    }
  }

  return {
    add: ({ key }, timestamp, value, stale) => {
      const time = stale ? timestamp + 0.5 : timestamp;
      const seen = stale ? 0 : value;
      let series = bySeries.get(key);
      let novelty: Novelty = "new";
      if (series === undefined) {
        series = { key, times: [], values: [], first: 0, newest: -Infinity };
        bySeries.set(key, series);
      } else if (timestamp <= series.newest) {
        const { times, values } = series;
        for (let i = times.length - 1; i >= series.first; i--) {
          if (Math.floor(times[i]) !== timestamp) continue;
          if (times[i] === time && Object.is(values[i], seen)) return "committed";
          novelty = "other value";
        }
      }
      series.times.push(time);
      series.values.push(seen);
      series.newest = Math.max(series.newest, timestamp);
      current.order.push(series);
      if (size() > maxSamples) forgetOldest(sizeOf(previous) > 0 ? previous : current);
      return novelty;
    },

    nextAge: () => {
      while (sizeOf(previous) > 0) forgetOldest(previous);
      previous = current;
      current = { order: [], first: 0 };
    },

    size,
  };
}
