import { z } from "zod";

/**
 * The configuration's one schema: types are inferred from it, defaults and the reference manual
 * (docs/configuration.md) come out of it, and keys it does not know are refused.
 */

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 };

/** `90s`, `5m`, `1.5h`, `30d`, `5y` in milliseconds; null where the text is no duration. */
export function parseDurationMs(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w|y)$/.exec(text);
  return match === null ? null : Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
}

/** A duration with its unit, such as `90s`; milliseconds after parsing. */
const durationMs = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((text, context) => {
      const ms = parseDurationMs(text);
      if (ms !== null) return ms;
      context.addIssue({
        code: "custom",
        message: `"${text}" is no duration: write a number and a unit, such as 90s, 5m, 1h, 30d`,
      });
      return z.NEVER;
    });

/** A window's length: a bare number is minutes. After parsing: its name in feature names, and milliseconds. */
const window = z.union([z.number().positive(), z.string()]).transform((raw, context) => {
  const text = typeof raw === "number" ? `${raw}m` : raw;
  const ms = parseDurationMs(text);
  if (ms !== null && Number.isInteger(ms)) return { name: text.replace(".", "_"), ms };
  context.addIssue({
    code: "custom",
    message: `"${text}" is no window: write minutes (5) or a duration such as 90s, 5m, 1h`,
  });
  return z.NEVER;
});

const url = (fallback: string) => z.url({ protocol: /^https?$/ }).default(fallback);
const file = z.string().min(1);
const labelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "must be a Prometheus label name");
const port = (fallback: number) => z.int().min(1).max(65_535).default(fallback);

/** Every object of the schema is strict, and may be left out wholly. */
function section<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape).prefault({} as never);
}

const clientTls = z
  .strictObject({
    ca_file: file.optional().describe("Certificate authority that signed the server's certificate, PEM."),
    cert_file: file.optional().describe("Client certificate, PEM."),
    key_file: file.optional().describe("Client key, PEM."),
  })
  .optional();

const prometheus = section({
  url: url("http://127.0.0.1:9090").describe("Where Prometheus serves its HTTP API."),
  timeout: z.number().positive().default(30).describe("Seconds that one query may take."),
  retry_attempts: z
    .int()
    .min(0)
    .default(3)
    .describe("How often a failed query is tried again before the poll is given up."),
  rate_limit: z.number().positive().default(100).describe("Queries a second, at the most."),
  username: z.string().optional().describe("User of HTTP basic authentication."),
  password_file: file.optional().describe("File that holds the password."),
  bearer_token_file: file.optional().describe("File that holds a bearer token."),
  tls: clientTls,
});

const template = z.strictObject({
  entity: z.string().default("target").describe("Which of `entities` the series belong to."),
  selectors: z
    .array(z.string().min(1))
    .min(1)
    .describe('PromQL instant selectors, such as `node_load1` or `{__name__=~"node_.+"}`.'),
});

const job = z.strictObject({
  templates: z
    .array(z.string())
    .min(1)
    .describe("Which of `templates` the job reads, together, at one time."),
  interval: durationMs("1s").describe("How often the job polls."),
  overlap: durationMs("15s").describe(
    "How far back each poll looks again for samples that were stored late; at least the longest scrape timeout.",
  ),
  initial_lookback: durationMs("1h").describe("How far back the very first poll reads."),
  max_window: durationMs("5m").describe("The longest window of one query while the job catches up."),
});

export const etlSchema = z.strictObject({
  extract: section({
    prometheus,
    templates: z
      .record(z.string(), template)
      .default({
        application: {
          entity: "service",
          selectors: ["application_requests_total", '{__name__=~"application_response_time_seconds_.+"}'],
        },
        kubernetes: { entity: "target", selectors: ["kube_pod_info", "container_cpu_usage_seconds_total"] },
        system: {
          entity: "target",
          selectors: [
            "node_cpu_seconds_total",
            '{__name__=~"node_memory_(MemTotal|MemAvailable|MemFree)_bytes"}',
            "node_load1",
          ],
        },
        custom: { entity: "service", selectors: ["service_health_score", "fault_injection_active"] },
      })
      .describe("What to read, by name."),
    jobs: z
      .record(z.string(), job)
      .prefault({ live: { templates: ["application", "kubernetes", "system", "custom"] } })
      .describe(
        "Who reads which templates, and how often. A series belongs to the first job and template that read it.",
      ),
  }),
  entities: z
    .record(z.string(), z.array(labelName).min(1))
    .default({ target: ["job", "instance"], service: ["job", "service"] })
    .describe(
      "Label sets that name what features are about. All series of an entity share a partition and its frames.",
    ),
  transform: section({
    cleaning: section({
      outlier_detection: z.enum(["iqr", "none"]).default("iqr").describe("How outliers are found."),
      missing_value_threshold: z
        .number()
        .min(0)
        .max(1)
        .default(0.8)
        .describe("Share of missing samples above which a frame is dropped."),
      validation_rules: z
        .enum(["strict", "lenient"])
        .default("strict")
        .describe("`strict` keeps values that break a rule out of every window; `lenient` only flags them."),
    }),
    imputation: section({
      method: z
        .enum(["linear_interpolation", "none"])
        .default("linear_interpolation")
        .describe("How gaps are filled."),
      max_gap_minutes: z.number().positive().default(60).describe("Longer gaps stay wholly open."),
    }),
    feature_engineering: section({
      rolling_windows: z
        .array(window)
        .min(1)
        .prefault([5, 15, 60])
        .describe("Window lengths: minutes, or a duration such as 90s."),
      aggregation_functions: z
        .array(z.enum(["mean", "std", "percentile"]))
        .default(["mean", "std", "percentile"])
        .describe("Statistics of each window."),
      percentiles: z
        .array(z.number().gt(0).lt(100))
        .default([25, 50, 75, 95, 99])
        .describe("Which percentiles `percentile` means."),
      rate_window: durationMs("60s").describe("Window of the per-second rate of counters."),
    }),
    lateness: durationMs("10m").describe(
      "How late a sample may come and still correct the rows after it at once.",
    ),
  }),
  load: section({
    influxdb: section({
      url: url("http://127.0.0.1:8086").describe("Where InfluxDB serves its HTTP API."),
      org: z.string().min(1).default("monitoring").describe("Organisation."),
      bucket: z.string().min(1).default("health_metrics").describe("Bucket that rows are written to."),
      token_file: file.default(".millrace/secrets/influxdb_token").describe("File that holds the API token."),
      timeout: z.number().positive().default(10).describe("Seconds that one write may take."),
      batch_size: z.int().min(1).max(50_000).default(5000).describe("Lines of one write, at the most."),
      retention_policies: section({
        hot: durationMs("30d").describe("How long full resolution is kept."),
        warm: durationMs("365d").describe("How long the warm tier is kept."),
        cold: durationMs("5y").describe("How long the cold tier is kept."),
      }),
    }),
  }),
  kafka: section({
    brokers: z
      .array(z.string().regex(/^[^\s:]+:\d+$/, "must be host:port"))
      .min(1)
      .default(["127.0.0.1:9092"])
      .describe("Bootstrap servers."),
    topic_prefix: z
      .string()
      .regex(/^[a-zA-Z0-9._-]*$/)
      .default("")
      .describe("Put before every topic, group and transactional id."),
    partitions: z
      .int()
      .min(1)
      .default(4)
      .describe("Partitions of the metrics topics, when they are created."),
    replication_factor: z.int().min(1).default(1).describe("Replicas of each topic, when it is created."),
    delivery: z
      .enum(["exactly_once", "at_least_once"])
      .default("exactly_once")
      .describe(
        "`exactly_once` commits outputs and input offsets in one transaction; `at_least_once` is cheaper.",
      ),
    tls: clientTls,
    sasl: z
      .strictObject({
        mechanism: z
          .enum(["plain", "scram-sha-256", "scram-sha-512"])
          .default("scram-sha-512")
          .describe("SASL mechanism."),
        username: z.string().describe("User."),
        password_file: file.describe("File that holds the password."),
      })
      .optional(),
  }),
  registry: section({
    url: url("http://127.0.0.1:8081/apis/ccompat/v7").describe(
      "Where the schema registry serves the Confluent API.",
    ),
    username: z.string().optional().describe("User of HTTP basic authentication."),
    password_file: file.optional().describe("File that holds the password."),
  }),
  telemetry: section({
    host: z
      .string()
      .default("127.0.0.1")
      .describe("Address that /metrics, /healthz and /readyz are served on."),
    ports: section({
      poller: port(9301).describe("Port of the poller."),
      processor: port(9302).describe("Port of the processor."),
      sink: port(9303).describe("Port of the sink."),
      simulator: port(9304).describe("Port of the simulator."),
    }),
    log_level: z
      .enum(["trace", "debug", "info", "warn", "error", "silent"])
      .default("info")
      .describe("Least severe level that is logged."),
  }),
  simulator: section({
    seed: z.int().default(1).describe("Seed of load, noise and faults."),
    fault_rate: z.number().min(0).default(12).describe("Faults an hour over all services, on average."),
  }),
  stack: section({
    home: z
      .string()
      .default(".millrace")
      .describe("Folder of the local servers: programs, data, logs and secrets."),
    scrape_interval: durationMs("5s").describe("How often the local Prometheus scrapes."),
    kafka_controller_port: port(9093).describe("Port of the local Kafka's controller."),
    node_exporter_port: port(9100).describe("Port of the local node exporter."),
  }),
});

/** The configuration as the services read it: defaults filled in, durations in milliseconds. */
export type Config = z.output<typeof etlSchema>;

export const pipelineSchema = z.strictObject({
  pipelines: z.record(
    z.string(),
    z.strictObject({
      schedule: z.string().describe("Five cron fields, or `manual`."),
      stages: z
        .array(z.enum(["extract", "transform", "load"]))
        .min(1)
        .describe("Stages, in order."),
      timeout: z.number().positive().describe("Seconds that one run may take."),
    }),
  ),
});

export type Pipelines = z.output<typeof pipelineSchema>;
