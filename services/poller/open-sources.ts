import type { Config } from "../shared/config-schema.js";
import { readSources } from "../shared/sources.js";
import { type Complete, createComplete } from "./completeness/complete-matrix.js";
import { type MetricTypes, createMetricTypes } from "./metric-types.js";
import type { PollerMetrics } from "./poller-metrics.js";
import { type PrometheusClient, connectPrometheus } from "./prometheus-client.js";

/** A Prometheus as the live jobs and the backfill reach it, each with connections and a rate limit of its own. */
export interface Source {
  readonly name: string;
  readonly url: string;
  readonly client: PrometheusClient;
  readonly types: MetricTypes;
  readonly complete: Complete;
  /** It waits for its own rate limit, and live polls never do. */
  readonly backfillClient: PrometheusClient;
}

export interface Sources {
  /** The one that a job reads. */
  readonly of: (job: string) => Source;
  readonly close: () => Promise<void>;
}

/** Those that jobs read. What each query comes to is counted, whoever asked. */
export function openSources(
  extract: Config["extract"],
  { metrics, now }: { metrics: Pick<PollerMetrics, "sourceUp" | "queries">; now: () => number },
): Sources {
  const sources = new Map<string, Source>();
  for (const [name, config] of readSources(extract)) {
    const onQuery = (succeeded: boolean) => {
      metrics.sourceUp.set({ source: name }, succeeded ? 1 : 0);
      metrics.queries.inc({ source: name, outcome: succeeded ? "success" : "failure" });
    };
    const client = connectPrometheus(config, { now, onQuery });
    const { rate_limit } = extract.backfill;
    sources.set(name, {
      name,
      url: config.url,
      client,
      types: createMetricTypes(client, now),
      complete: createComplete(client),
      backfillClient: connectPrometheus({ ...config, rate_limit }, { now, onQuery }),
    });
  }
  return {
    of: (job) => sources.get(extract.jobs[job].source)!,
    close: async () => {
      const all = [...sources.values()].flatMap(({ client, backfillClient }) => [client, backfillClient]);
      await Promise.all(all.map((client) => client.close()));
    },
  };
}
