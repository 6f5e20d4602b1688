import { Cron } from "croner";
import { z } from "zod";
import { outlierActions, outlierMethods } from "../kernels/outlier-action.js";
import { frequencyNames } from "../kernels/frequency/spectrum.js";
import { valueTypes } from "../kernels/convert/convert-text.js";
import { rollingStatistics } from "./rolling-statistics.js";
import { readIsolationForest } from "./isolation-forest-file.js";
import { readScalingFits } from "./scaling-fits.js";
import { statisticalFeatureNames } from "./statistical-columns.js";
import { compileFrameExpression, compileSampleExpression } from "./config-expression.js";
import { relabelRule } from "./config-relabel.js";
import { matchProblem, selectorProblem } from "./config-selector.js";
import { DEFAULT_SOURCE } from "./source-name.js";
import { imputationMethods, timeGroups } from "./imputation-methods.js";

/**
 * The configuration's one schema: types are inferred from it; defaults, the words of error messages and the reference
 * manual (docs/configuration.md) come out of it; and keys it does not know are refused. Rules that look across keys
 * are in config-rules.ts.
 *
 * Meta data: `expected` says in words what a value must be, where the schema's own types do not; `unit` is the unit of
 * a bare number; `effective: false` marks what is read and checked, but not acted upon yet.
 */

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 };

/** `90s`, `5m`, `1.5h`, `30d`, `5y` in milliseconds; null where the text is no duration. */
export function parseDurationMs(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w|y)$/.exec(text);
  if (match === null) return null;
  const ms = Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
  // 1.1 minutes are 66,000 ms, whatever binary fractions make of it.
  return Math.abs(ms - Math.round(ms)) < 1e-6 ? Math.round(ms) : ms;
}

/** Makes the reader say what `expected` says, and what stood there. */
function refuse(context: z.RefinementCtx): never {
  context.addIssue({ code: "invalid_format", format: "expected" });
  return z.NEVER;
}

/** Whole milliseconds within the bounds, both included; null where the text is no such duration. */
function durationWithin(text: string, min: string, max: string): number | null {
  const ms = parseDurationMs(text);
  if (ms === null || !Number.isInteger(ms)) return null;
  return ms >= parseDurationMs(min)! && ms <= parseDurationMs(max)! ? ms : null;
}

/** A duration with its unit, such as `90s`; milliseconds after parsing. */
const durationMs = (fallback: string, min: string, max: string) =>
  z
    .string()
    .default(fallback)
    .transform((text, context) => durationWithin(text, min, max) ?? refuse(context))
    .meta({ expected: `a duration from ${min} to ${max}, such as \`${fallback}\`` });

/** The same without a default. */
const optionalDurationMs = (example: string, min: string, max: string) =>
  z
    .string()
    .transform((text, context) => durationWithin(text, min, max) ?? refuse(context))
    .meta({ expected: `a duration from ${min} to ${max}, such as \`${example}\`` })
    .optional();

const WINDOW_MIN = "1s";
const WINDOW_MAX = "7d";

/** One name for all spellings of a number (5.0m, 05m), and no dot, which Avro's names refuse: 1.5h is 90m. */
function windowName(text: string, ms: number): string {
  const count = parseFloat(text);
  if (Number.isInteger(count)) return `${count}${text.replace(/[\d.]/g, "")}`;
  const unit = (["h", "m", "s", "ms"] as const).find((smaller) => ms % unitMs[smaller] === 0)!;
  return `${ms / unitMs[unit]}${unit}`;
}

/** A window's length: a bare number is minutes. After parsing: its name in feature names, and milliseconds. */
const window = z
  .union([z.number(), z.string()])
  .transform((raw, context) => {
    const text = typeof raw === "number" ? `${raw}m` : raw;
    const ms = durationWithin(text, WINDOW_MIN, WINDOW_MAX);
    if (ms === null) return refuse(context);
    return { name: windowName(text, ms), ms };
  })
  .meta({
    expected: `minutes, such as \`5\`, or a duration from ${WINDOW_MIN} to ${WINDOW_MAX}, such as \`90s\``,
  });

/** An HTTP address to which paths are appended: neither credentials, nor a query, nor a slash at its end. */
const httpAddress = <Text extends z.ZodType<string, string | undefined>>(
  text: Text,
  example: string,
  insteadOfCredentials: string,
) =>
  text
    .transform((text, context) => {
      const parsed = URL.parse(text);
      if (parsed === null || !/^https?:\/\//.test(text)) return refuse(context);
      if (parsed.username !== "" || parsed.password !== "") {
        context.addIssue({
          code: "custom",
          message: `a URL must not hold a user or a password; use ${insteadOfCredentials} instead`,
        });
        return z.NEVER;
      }
      if (/[?#]/.test(text)) return refuse(context);
      return text.replace(/\/+$/, "");
    })
    .meta({ expected: `an \`http://\` or \`https://\` URL without a query, such as \`${example}\`` });

const url = (fallback: string, insteadOfCredentials: string) =>
  httpAddress(z.string().default(fallback), fallback, insteadOfCredentials);

const file = z.string().min(1).max(4096).meta({ expected: "the name of a file" });
const text = z.string().min(1).max(255);
const port = (fallback: number) => z.int().min(1).max(65_535).default(fallback);
const freePort = (fallback: number) => z.int().min(0).max(65_535).default(fallback);

/** What an entry of a record is called. Such names go into Kafka keys and metrics' labels. */
const entryName = z
  .string()
  .regex(/^[a-zA-Z][a-zA-Z0-9_-]{0,63}$/)
  .meta({ expected: "a name of letters, digits, `_` and `-` that begins with a letter, 64 at the most" });

const labelName = z
  .string()
  .regex(/^[a-zA-Z_][a-zA-Z0-9_]{0,127}$/)
  .meta({ expected: "a Prometheus label name, such as `instance`" });

const selector = z
  .string()
  .max(4096)
  .superRefine((promql, context) => {
    const problem = selectorProblem(promql);
    if (problem !== null) context.addIssue({ code: "custom", message: problem });
  })
  .meta({ expected: 'an instant vector selector, such as `node_load1` or `{__name__=~"node_.+"}`' });

/** Every object of the schema is strict, and may be left out wholly. */
function section<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape).prefault({} as never);
}

/** A selector that the processor matches the series of its frames by. */
const match = z
  .string()
  .max(4096)
  .superRefine((promql, context) => {
    const problem = matchProblem(promql);
    if (problem !== null) context.addIssue({ code: "custom", message: problem });
  })
  .meta({ expected: 'a selector, such as `node_load1` or `{__name__=~".+_percent"}`' });

const expression = (compile: (text: string) => object | string, example: string) =>
  z
    .string()
    .min(1)
    .max(4096)
    .superRefine((cel, context) => {
      const compiled = compile(cel);
      if (typeof compiled === "string") context.addIssue({ code: "custom", message: compiled });
    })
    .meta({ expected: `a CEL expression that is true or false, such as \`${example}\`` });

const yesOrNo = z.boolean().meta({ expected: "`true` or `false`" });

/** What integers of a configuration may be: exact in a double, and more than a metric's bound needs. */
const bound = z.number().min(-9e15).max(9e15).optional();

const rangeRule = z.strictObject({
  match: match.describe("Which series the rule is about."),
  min: bound.describe("The least value; none without it."),
  max: bound.describe("The greatest value; none without it."),
  exclusive: yesOrNo.default(false).describe("Whether the bounds themselves break the rule, too."),
});

const orderRule = z.strictObject({
  ascending: z
    .array(match)
    .min(2)
    .max(16)
    .describe(
      "Which series must not be greater than the next. They are compared where all other labels are the same: all but " +
        "those that the selectors name. What a regular expression captures in parentheses must be the same, too: " +
        '`{__name__=~"(.+)_p50"}`.',
    ),
  equal: yesOrNo
    .default(true)
    .describe("Whether two may be equal, as the percentiles of a quiet service are."),
});

const sampleRule = z.strictObject({
  match: match.describe("Which series the rule is about. No other series pays for it."),
  holds: expression(compileSampleExpression, "value < 5.0").describe(
    "CEL over one sample: `value`, `metric`, `labels`, `metric_type`, `timestamp` (milliseconds).",
  ),
});

const frameRule = z.strictObject({
  holds: expression(compileFrameExpression, 'v("a") <= v("b")').describe(
    "CEL over the samples of one entity at one time: `v` gives the value of the only series that a selector matches; " +
      "`timestamp` (milliseconds). Where `v` has no value, the rule is not judged.",
  ),
});

const later = { effective: false } as const;

const rules = section({
  range: z
    .record(entryName, rangeRule)
    .prefault({
      cpu_percent: { match: '{__name__=~"(.+_)?cpu_(.+_)?percent(age)?"}', min: 0, max: 100 },
      memory_percent: { match: '{__name__=~"(.+_)?mem(ory)?_(.+_)?percent(age)?"}', min: 0, max: 100 },
      usage_ratio: {
        match: '{__name__=~"(.+_)?((cpu|mem(ory)?)_(usage|used|utili[sz]ation)|error)_ratio"}',
        min: 0,
        max: 1,
      },
      error_rate: { match: '{__name__=~"(.+_)?error_(rate|percent(age)?|rate_percent)"}', min: 0, max: 100 },
      request_rate: { match: '{__name__=~"(.+_)?(request_rate|requests_per_second)"}', min: 0 },
      response_time: {
        match:
          '{__name__=~"(.+_)?(response_time|request_duration)(_.+)?_(seconds|milliseconds|ms)(_(avg|mean|min|max|p[0-9]+))?"}',
        min: 0,
        exclusive: true,
      },
    })
    .describe(
      "Values that a series may have, by name. Rules that are given replace all of the default's, here as below.",
    ),
  order: z
    .record(entryName, orderRule)
    .prefault({
      quantiles: { ascending: ['{quantile="0.5"}', '{quantile="0.95"}', '{quantile="0.99"}'] },
      percentiles: {
        ascending: [
          '{__name__=~"(.+)_p50(_.+)?"}',
          '{__name__=~"(.+)_p95(_.+)?"}',
          '{__name__=~"(.+)_p99(_.+)?"}',
        ],
      },
      errors_within_requests: {
        ascending: ['{__name__=~"(.+_)?errors_per_second"}', '{__name__=~"(.+_)?requests_per_second"}'],
      },
    })
    .describe("Orders of the values of a frame, by name. One whose series are not all there is not judged."),
  sample: z
    .record(entryName, sampleRule)
    .prefault({})
    .describe("Rules of your own about single samples, by name."),
  frame: z
    .record(entryName, frameRule)
    .prefault({})
    .describe("Rules of your own about whole frames, by name."),
  future_max: durationMs("5m", "0s", "1d").describe(
    "How far a sample's time may lie after the time that it was read at, since clocks differ.",
  ),
  gap_max: durationMs("5m", "1s", "1d")
    .describe("The longest time without a sample of a series that is no gap.")
    .meta(later),
});
const metricName = z
  .string()
  .regex(/^[a-zA-Z_][a-zA-Z0-9_]{0,127}$/)
  .meta({ expected: "the name of a metric: letters, digits and `_`" });

const combinedRate = z.strictObject({
  sum: match.describe("The counters whose per-second rates are added."),
  share: match
    .optional()
    .describe(
      "Instead of the sum: how much of it these counters are, in per cent; of nothing there is no share.",
    ),
});

const valueType = z.strictObject({
  match: match.describe("Which series; the first entry that matches one counts."),
  as: z
    .enum(valueTypes)
    .describe(
      "What their text is read as: `12ms` as `duration` in seconds, `3Gi` as `bytes`, `500m` as `quantity`, `85%` as " +
        "`ratio` of 1, `on` as `boolean`, 0 or 1.",
    ),
});

/** A file that is read when the configuration is; after parsing: its name, and what it holds. */
const readFile = <Content extends object>(read: (name: string) => Content | string) =>
  file.transform((name, context) => {
    const content = read(name);
    if (typeof content !== "string") return { name, content };
    context.addIssue({ code: "custom", message: content });
    return z.NEVER;
  });

const importedForest = z.strictObject({
  match: match.describe("Which series; the first entry that matches one counts."),
  file: readFile(readIsolationForest).describe(
    "The forest, exported from scikit-learn as JSON: docs/fitted-elsewhere.md says how. It is read with the configuration.",
  ),
});

const clientTls = z
  .strictObject({
    ca_file: file
      .optional()
      .describe("Certificate authority that signed the server's certificate, PEM; else Node's own list."),
    cert_file: file.optional().describe("Client certificate, PEM; needs `key_file`."),
    key_file: file.optional().describe("Client certificate's private key, PEM; needs `cert_file`."),
  })
  .optional();

const PROMETHEUS_URL = "http://127.0.0.1:9090";
const PROMETHEUS_CREDENTIALS = "username and password_file";

const prometheusKeys = {
  url: url(PROMETHEUS_URL, PROMETHEUS_CREDENTIALS).describe("Where Prometheus serves its HTTP API."),
  timeout: z
    .number()
    .min(0.1)
    .max(600)
    .default(30)
    .describe("How long one query may take.")
    .meta({ unit: "seconds" }),
  retry_attempts: z
    .int()
    .min(0)
    .max(100)
    .default(3)
    .describe(
      "How often a failed query is tried again before the poll is given up; the next poll catches up.",
    ),
  rate_limit: z
    .number()
    .min(0.01)
    .max(10_000)
    .default(100)
    .describe("Queries a second, at the most.")
    .meta({ unit: "queries a second" }),
  max_concurrent_queries: z
    .int()
    .min(1)
    .max(1000)
    .default(8)
    .describe("Queries at a time, at the most; Prometheus itself runs 20 (--query.max-concurrency)."),
  username: text.optional().describe("User of HTTP basic authentication; needs `password_file`."),
  password_file: file.optional().describe("File that holds the password of `username`."),
  bearer_token_file: file.optional().describe("File that holds a bearer token; excludes `username`."),
  tls: clientTls.describe(
    "TLS beyond Node's defaults: a private certificate authority, or a client certificate.",
  ),
};

const prometheus = section(prometheusKeys);

const furtherSource = z.strictObject({
  ...prometheusKeys,
  url: httpAddress(z.string(), PROMETHEUS_URL, PROMETHEUS_CREDENTIALS).describe(
    "Where this Prometheus serves its HTTP API.",
  ),
});

const template = z.strictObject({
  entity: z
    .string()
    .default("target")
    .describe("Which of `entities` the series belong to.")
    .meta({ expected: "the name of one of `entities`" }),
  selectors: z
    .array(selector)
    .min(1)
    .max(1000)
    .describe('PromQL instant vector selectors, such as `node_load1` or `{__name__=~"node_.+"}`.'),
});

/** Who may write, and from where, is in these keys; how much, in the limits. */
const remoteWrite = section({
  enabled: yesOrNo
    .default(false)
    .describe(
      "Whether Prometheus's remote write is received, at `/api/v1/write`: protocol 1.0 and 2.0. What a selector of `jobs` " +
        "reads as well comes twice, at the cost of the work only.",
    ),
  host: text
    .default("127.0.0.1")
    .describe(
      "Address to listen on. One beyond this machine needs `bearer_token_file`, `username` or `tls.client_ca_file`.",
    ),
  port: freePort(9305).describe("Port to listen on; 0 takes a free one."),
  entity: z
    .string()
    .default("target")
    .describe("Which of `entities` the series belong to that no template below matches.")
    .meta({ expected: "the name of one of `entities`" }),
  templates: z
    .array(z.string().meta({ expected: "the name of one of `extract.templates`" }))
    .min(0)
    .max(1000)
    .default([])
    .describe(
      "Which of `extract.templates` name the entity: the first with a selector that matches. List those whose series are " +
        "polled, too.",
    ),
  username: text.optional().describe("User of HTTP basic authentication; needs `password_file`."),
  password_file: file.optional().describe("File that holds the password of `username`."),
  bearer_token_file: file
    .optional()
    .describe("File that holds the bearer token that senders must show; excludes `username`."),
  tls: z
    .strictObject({
      cert_file: file.describe("The receiver's certificate, PEM."),
      key_file: file.describe("The certificate's private key, PEM."),
      client_ca_file: file
        .optional()
        .describe("Certificate authority, PEM, that senders' certificates must be signed by."),
    })
    .optional()
    .describe("Serves HTTPS instead of HTTP."),
  request_bytes_max: z
    .int()
    .min(1_000)
    .max(100_000_000)
    .default(8_000_000)
    .describe("The longest body, as it is sent.")
    .meta({ unit: "bytes" }),
  decompressed_bytes_max: z
    .int()
    .min(1_000)
    .max(500_000_000)
    .default(32_000_000)
    .describe("The longest body once it is decompressed; it is looked at before that is done.")
    .meta({ unit: "bytes" }),
  series_max: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(100_000)
    .describe("Series of one request. Prometheus sends 2000 samples, each as a series."),
  samples_max: z.int().min(1).max(1_000_000).default(100_000).describe("Samples of one request."),
  labels_max: z.int().min(1).max(1_000).default(64).describe("Labels of one series, its name among them."),
  label_name_bytes_max: z
    .int()
    .min(1)
    .max(65_536)
    .default(256)
    .describe("The longest name of a label.")
    .meta({ unit: "bytes" }),
  label_value_bytes_max: z
    .int()
    .min(1)
    .max(65_536)
    .default(4_096)
    .describe("The longest value of a label.")
    .meta({ unit: "bytes" }),
  queue_samples_max: z
    .int()
    .min(1)
    .max(10_000_000)
    .default(500_000)
    .describe(
      "Samples that may wait for Kafka, some 100 bytes each. Beyond them requests are refused: with 429 while Kafka answers, " +
        "with 503 otherwise. One Prometheus has 50 × 2000 samples under way by default; with several or larger ones, set " +
        "`retry_on_http_429` in their `queue_config`, or they drop what gets a 429.",
    ),
  answer_timeout: durationMs("25s", "100ms", "10m").describe(
    "How long a request may wait for Kafka before it is told to come again; shorter than the senders' `remote_timeout`.",
  ),
  remember: durationMs("5m", "10s", "1d").describe(
    "How long what is in Kafka is remembered, at the least, so that what is sent again is not written again; longer than " +
      "the senders' `remote_timeout`. After a start it is read back.",
  ),
  remembered_samples_max: z
    .int()
    .min(1)
    .max(50_000_000)
    .default(2_000_000)
    .describe("Samples that are remembered at the most, some 30 bytes each; then the oldest are forgotten."),
});

const job = z.strictObject({
  source: z
    .string()
    .default(DEFAULT_SOURCE)
    .describe("Which Prometheus the job reads.")
    .meta({ expected: `the name of one of \`extract.sources\`, or \`${DEFAULT_SOURCE}\`` }),
  templates: z
    .array(z.string().meta({ expected: "the name of one of `extract.templates`" }))
    .min(1)
    .max(1000)
    .describe("Which of `extract.templates` the job reads, together, at one time."),
  relabel: z
    .array(relabelRule)
    .min(0)
    .max(1000)
    .prefault([])
    .describe(
      "Rules that change or drop the job's series, in this order, as Prometheus's `metric_relabel_configs`. A series belongs to " +
        "its template and job by the labels that it has in Prometheus, to its entity by those that the rules leave. Of " +
        "series that the rules make one, the first is read, until it has had no sample for five minutes.",
    )
    .meta({ expected: "a list of rules" }),
  interval: durationMs("500ms", "100ms", "1d").describe("How often the job polls."),
  overlap: durationMs("15s", "0s", "1h").describe(
    "How far back each poll looks again for samples that were stored late: at least Prometheus's longest scrape timeout.",
  ),
  initial_lookback: durationMs("1h", "0s", "1y").describe("How far back the very first poll reads."),
  max_window: durationMs("5m", "1s", "1d").describe(
    "The longest window of one query while the job catches up; longer than `overlap`.",
  ),
  completeness: z
    .enum(["count", "off"])
    .default("count")
    .describe(
      "`count` compares what was read with `count_over_time`, every third of `overlap`, and reads again what is missing; the " +
        "watermark waits for it. `off` trusts each answer.",
    ),
  catch_up_limit: durationMs("1h", "1m", "1y").describe(
    "How much of a downtime the job catches up by itself before it goes on live; what is older is backfilled beside it. " +
      "Longer than `overlap`.",
  ),
});

const limits = section({
  series_max: z.int().min(1).max(100_000_000).default(200_000).describe("Series that a job reads."),
  labels_max: z.int().min(1).max(10_000).default(64).describe("Labels of a series, its name among them."),
  label_name_bytes_max: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(256)
    .describe("Length of a label's name.")
    .meta({ unit: "bytes" }),
  label_value_bytes_max: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(4_096)
    .describe("Length of a label's value.")
    .meta({ unit: "bytes" }),
  samples_max: z
    .int()
    .min(1)
    .max(1_000_000_000)
    .default(5_000_000)
    .describe(
      "Samples of a window; one that holds more is read in shorter ones, and only what is too much for a second is left out.",
    ),
});

const backfill = section({
  rate_limit: z
    .number()
    .min(0.01)
    .max(10_000)
    .default(20)
    .describe("Queries a second, at the most, besides those of the jobs.")
    .meta({ unit: "queries a second" }),
  concurrency: z
    .int()
    .min(1)
    .max(16)
    .default(2)
    .describe("How many chunks are read at a time: memory is this times `chunk_samples`."),
  chunk_samples: z
    .int()
    .min(1_000)
    .max(1_000_000)
    .default(50_000)
    .describe(
      "Samples that are read at one go, and sent in one transaction; a backfill that is stopped goes on there.",
    )
    .meta({ unit: "samples" }),
  samples_per_second: z
    .number()
    .min(1)
    .max(100_000_000)
    .default(50_000)
    .describe(
      "Samples a second, at the most: what the processor can do besides live frames, which stand behind them in metrics.raw.",
    )
    .meta({ unit: "samples a second" }),
  live_lag_max: durationMs("5s", "100ms", "1h").describe(
    "How far behind a job may be, if not three of its intervals; backfill pauses meanwhile.",
  ),
  retention_margin: durationMs("1d", "0s", "1y").describe(
    "How much younger a sample must be than what metrics.raw and metrics.features keep, so that it is processed before Kafka " +
      "deletes it. Older ranges are refused.",
  ),
});

export const etlSchema = z.strictObject({
  extract: section({
    prometheus: prometheus.describe(
      `The Prometheus that is read by every job that names no other: the source \`${DEFAULT_SOURCE}\`.`,
    ),
    sources: z
      .record(entryName, furtherSource)
      .prefault({})
      .describe(
        "Further Prometheus servers, by name, each with a rate limit and connections of its own. Series that two of them have " +
          "alike are one to Millrace: give those of one a label by its jobs' rules (`relabel`).",
      ),
    queries: z
      .record(
        entryName,
        z.strictObject({
          query: z
            .string()
            .min(1)
            .max(10_000)
            .describe(
              "PromQL with `{{name}}` where a parameter goes. Within quotes its value is one text; elsewhere it is a number, a " +
                "duration, or names.",
            ),
          parameters: z
            .record(labelName, z.string().max(1_000))
            .default({})
            .describe("Values of parameters that are not given."),
        }),
      )
      .prefault({
        request_rate: {
          query: "sum by (job) (rate({{metric}}[{{window}}]))",
          parameters: { metric: "application_requests_total", window: "5m" },
        },
      })
      .describe(
        "Queries of `millrace extract --template`, by name. Those that are given replace all of the default's.",
      ),
    templates: z
      .record(entryName, template)
      .prefault({
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
      .describe("What to read, by name. Templates that are given replace all of the default's."),
    jobs: z
      .record(entryName, job)
      .prefault({ live: { templates: ["application", "kubernetes", "system", "custom"] } })
      .describe(
        "Who reads which templates, and how often. A series belongs to the first job and template that read it. " +
          "Jobs that are given replace the default's.",
      ),
    limits: limits.describe(
      "How much a job may read, after its rules have changed or dropped series. What is over a limit is left out, counted and told of; the rest goes on.",
    ),
    backfill: backfill.describe("How requested ranges are fetched, beside the jobs."),
    remote_write: remoteWrite.describe(
      "What Prometheus sends by itself: the remote-write receiver. Types of metrics come with 1.0 once a minute " +
        "(`metadata_config`), and with 2.0 where Prometheus runs with `--enable-feature=metadata-wal-records`; without them " +
        "counters are what is named `_total` or `_bucket`. Native histograms and exemplars have no place in a frame.",
    ),
  }).describe("Prometheus to Kafka: the poller."),
  entities: z
    .record(entryName, z.array(labelName).min(1).max(16).describe("The labels that name one entity."))
    .prefault({ target: ["job", "instance"], service: ["job", "service"] })
    .describe(
      "Label sets that name what features are about. All series of an entity share a partition and its frames. " +
        "Entities that are given replace all of the default's.",
    ),
  transform: section({
    cleaning: section({
      outlier_detection: z
        .enum([...outlierMethods, "none"])
        .default("iqr")
        .describe(
          "How outliers are found: `iqr` outside of 1.5 interquartile ranges from the quartiles; `zscore` more than 3 standard " +
            "deviations from the mean; `robust_zscore` beyond 3.5 by the median and the median absolute deviation; " +
            "`isolation_forest` by a forest fitted every quarter of the window, some 300 kB a series.",
        ),
      isolation_forests: z
        .record(entryName, importedForest)
        .prefault({})
        .describe(
          "For `isolation_forest`: forests that were fitted by scikit-learn, by name. They score the series that match, and " +
            "are not fitted anew; all others have one of their own.",
        ),
      outlier_action: z
        .enum(outlierActions)
        .default("flag")
        .describe(
          "What happens to an outlier: `flag` only says so; `remove` keeps it out of every window, and has it imputed; " +
            "`clip` takes the nearest value that is none.",
        ),
      outlier_window: window
        .prefault(60)
        .describe("The window that a sample is judged against, itself excluded."),
      missing_value_threshold: z
        .number()
        .min(0)
        .max(1)
        .default(0.8)
        .describe(
          "Share of an entity's expected series that may be missing at a time before the rows of that time are flagged " +
            "`incomplete`; 1 flags none. Expected are the series at whose own interval a sample was due.",
        ),
      incomplete_rows: z
        .enum(["flag", "drop"])
        .default("flag")
        .describe(
          "`drop` leaves the rows of such a time out of metrics.features, until late samples complete it. Windows see its samples " +
            "either way. A failed scrape leaves nothing but `up` = 0, which would be dropped.",
        ),
      validation_rules: z
        .enum(["strict", "lenient"])
        .default("strict")
        .describe("`strict` keeps values that break a rule out of every window; `lenient` only flags them."),
      rules: rules.describe("What values must be like. A rule's name is told with what breaks it."),
      types: z
        .record(entryName, valueType)
        .prefault({})
        .describe(
          "What values that are texts are read as, by name; as numbers without an entry. Prometheus has none; what " +
            "`millrace process` reads may.",
        ),
    }).describe("Which samples are believed."),
    imputation: section({
      method: z
        .enum([...imputationMethods, "none"])
        .default("linear_interpolation")
        .describe(
          "How gaps are filled, once the sample after them is there: `linear_interpolation` on a straight line in time; " +
            "`forward_fill` with the value before, `backward_fill` with the value after; `seasonal` on a line, to which the " +
            "season of the window is added; `mean` and `median` of the window up to the gap; `regression`, `kmeans` and " +
            "`matrix_factorization` from what the other series of the entity were meanwhile, as the window up to the gap has it, and " +
            "while there is none as before; `onnx` by a model of your own.",
        ),
      interval: z
        .union([z.literal("auto"), durationMs("15s", "100ms", "1d")])
        .default("auto")
        .describe(
          "How often a sample of each series is expected; more than one and a half times that is a gap. `auto`: as often as before the gap.",
        )
        .meta({ expected: "`auto`, or a duration from 100ms to 1d, such as `15s`" }),
      max_gap_minutes: z
        .number()
        .gt(0)
        .max(10_080)
        .default(60)
        .describe("The longest gap that is filled; longer ones stay open from end to end.")
        .meta({ unit: "minutes" }),
      window: window
        .optional()
        .describe(
          "The window up to the gap, for all methods that look at more than its ends; 60 minutes without it.",
        ),
      series_max: z
        .int()
        .min(2)
        .max(32)
        .optional()
        .describe(
          "For `regression`, `kmeans` and `matrix_factorization`, and for groups: how many series are looked at together; 16 " +
            "without it. An entity with more has them taken in the order of their keys, in as few parts of equal size as that allows.",
        )
        .meta({ unit: "series" }),
      group_by: z
        .array(labelName)
        .min(0)
        .max(16)
        .optional()
        .describe(
          "For `mean` and `median`: of all series of the entity that have the same metric and the same values of these labels, " +
            "instead of the gap's own only; `[]` of all of the same metric.",
        ),
      group_time: z
        .enum(timeGroups)
        .optional()
        .describe(
          "For `mean` and `median`: of the samples of the same minute of the hour, or the same hour of the day (UTC), of which " +
            "the window should hold a few; of all where there is none.",
        ),
      model_path: file
        .optional()
        .describe(
          "For `onnx`: the file of the model. It takes the window up to the gap, the gap and the sample after it as a table " +
            "[rows, columns] of float32 or float64, oldest row first, NaN where a value is missing; optionally a second such " +
            "input, named `mask`, 1 where one is present; and answers a table of the same shape.",
        ),
      model_columns: z
        .array(match)
        .min(1)
        .max(256)
        .optional()
        .describe(
          "For `onnx`: which series of the entity stands in each of the model's columns, by selectors in their order. Where one " +
            "selects several, the series of the gap, or else the first by its key. A series that none selects is not filled.",
        ),
      clusters: z
        .int()
        .min(1)
        .max(64)
        .optional()
        .describe("For `kmeans`: how many states of the entity are told apart; 8 without it."),
      shrinkage: z
        .number()
        .gt(0)
        .max(1)
        .optional()
        .describe(
          "For `matrix_factorization`: what singular values are lowered by, as a share of the largest; 0.05 without it. The " +
            "larger, the simpler what the entity is taken for.",
        ),
      season_samples: z
        .int()
        .min(2)
        .max(10_000)
        .optional()
        .describe(
          "For `seasonal`: samples of one season, of which the window should hold a few; 60 without it.",
        )
        .meta({ unit: "samples" }),
      limit_samples: z
        .int()
        .min(1)
        .max(10_000)
        .optional()
        .describe(
          "For `forward_fill` and `backward_fill`: how many samples of a gap are filled, from that end on; all without it.",
        )
        .meta({ unit: "samples" }),
      limit_age: optionalDurationMs("5m", "1ms", "7d").describe(
        "For `forward_fill` and `backward_fill`: how far in time a value is carried; to the other end without it.",
      ),
    }).describe("How gaps are filled."),
    feature_engineering: section({
      rolling_windows: z
        .array(window)
        .min(1)
        .max(16)
        .prefault([5, 15, 60])
        .describe(
          "Lengths of the windows that statistics are computed over; they name the features: `mean_5m`.",
        ),
      aggregation_functions: z
        .array(z.enum(rollingStatistics))
        .min(1)
        .max(16)
        .default(["mean", "std", "percentile"])
        .describe(
          "Statistics of each window. `std` is the sample standard deviation, `mad` the median absolute deviation, `cv` the " +
            "coefficient of variation, std ÷ mean.",
        ),
      percentiles: z
        .array(z.number().min(0.001).max(99.999))
        .min(1)
        .max(32)
        .default([25, 50, 75, 95, 99])
        .describe("Which percentiles `percentile` means."),
      rate_window: durationMs("60s", "1s", "1d").describe(
        "Window of the per-second rate of counters: at least twice the scrape interval.",
      ),
      slope_windows: z
        .array(window)
        .min(0)
        .max(16)
        .prefault([60])
        .describe("Windows of the trend: the least-squares slope per second, `slope_60m`."),
      momentum: z
        .array(window)
        .min(0)
        .max(16)
        .prefault([5, 15, 60])
        .describe(
          "How far back a value is compared with: `momentum_5m` is the difference, `momentum_pct_5m` the same in per cent.",
        ),
      momentum_tolerance: durationMs("60s", "1s", "1d").describe(
        "How much older than that the sample may be that a value is compared with.",
      ),
      change_points: z
        .strictObject({
          window: window.prefault(60).describe("The window that is cut where its mean changes."),
          sensitivity: z
            .number()
            .gt(0)
            .max(1000)
            .default(1)
            .describe(
              "The larger, the smaller a change that is found: the penalty of a cut is 2 σ² ln n ÷ sensitivity.",
            ),
        })
        .optional()
        .describe(
          "Present, even as `{}`: `change_point`, the seconds since the mean last changed (PELT). Some 0.3 ms a row of 720 samples.",
        ),
      page_hinkley: z
        .strictObject({
          epoch: window
            .prefault(60)
            .describe(
              "How often the test begins anew, at multiples of it since 1970, so that its answer is a matter of the samples. " +
                "The epoch before says what the values usually vary by.",
            ),
          fewest_samples: z
            .int()
            .min(2)
            .max(100_000)
            .default(30)
            .describe(
              "How many samples of the epoch must be there, or since the last drift, before one is told.",
            )
            .meta({ unit: "samples" }),
          delta: z
            .number()
            .min(0)
            .max(1000)
            .default(0.005)
            .describe("A deviation from the mean that counts as none.")
            .meta({ unit: "standard deviations" }),
          threshold: z
            .number()
            .gt(0)
            .max(1_000_000)
            .default(50)
            .describe("How far the sum of the deviations has to come.")
            .meta({ unit: "standard deviations" }),
          alpha: z
            .number()
            .gt(0)
            .max(1)
            .default(0.9999)
            .describe("The share of that sum that is kept from sample to sample."),
        })
        .optional()
        .describe(
          "Present, even as `{}`: Page and Hinkley's test, as `drift`, 1 where a drift of the mean is told and else 0, and " +
            "`drift_age`, the seconds since the newest of the epoch.",
        ),
      seasonal: z
        .strictObject({
          period: z
            .int()
            .min(2)
            .max(10_000)
            .default(60)
            .describe("Samples of one season.")
            .meta({ unit: "samples" }),
          interval: durationMs("15s", "100ms", "1d").describe(
            "The time from sample to sample; a row with a gap in its window has no season.",
          ),
          periods: z
            .int()
            .min(2)
            .max(100)
            .default(3)
            .describe("How many seasons the window has.")
            .meta({ unit: "seasons" }),
        })
        .optional()
        .describe(
          "Present, even as `{}`: the one-sided seasonal decomposition, as `trend`, `seasonal`, `residual`, `seasonal_strength` and " +
            "`seasonal_anomaly`.",
        ),
      statistics: z
        .strictObject({
          window: window.prefault(60).describe("The window that they are computed over."),
          features: z
            .array(z.enum(statisticalFeatureNames))
            .min(1)
            .max(statisticalFeatureNames.length)
            .default(["skewness", "kurtosis", "mean_abs_change", "autocorrelation"])
            .describe("Which of tsfresh's features, by its names."),
          lags: z
            .array(z.int().min(1).max(10_000))
            .min(1)
            .max(16)
            .default([1])
            .describe("Lags of `autocorrelation`, in samples: `autocorrelation_1_60m`."),
          supports: z
            .array(z.int().min(1).max(1000))
            .min(1)
            .max(16)
            .default([3])
            .describe(
              "For `number_peaks`: how many neighbours on either side a peak is larger than: `number_peaks_3_60m`.",
            ),
          sigmas: z
            .array(z.number().min(0.01).max(100))
            .min(1)
            .max(16)
            .default([2])
            .describe(
              "For `ratio_beyond_r_sigma`: how many standard deviations from the mean count: `ratio_beyond_2_sigma_60m`.",
            ),
        })
        .optional()
        .describe(
          "Present, even as `{}`: statistics of a window as tsfresh defines them, `skewness_60m`. Some 10 µs a row of 720 samples.",
        ),
      frequency: z
        .strictObject({
          window: window
            .prefault(60)
            .describe("The window that is taken apart into frequencies: 4 to 10000 intervals."),
          interval: durationMs("15s", "100ms", "1d").describe(
            "The time from sample to sample. At each multiple of it since 1970 counts the newest value, no older than one and a " +
              "half intervals; a row with a gap in its window has no frequencies.",
          ),
          features: z
            .array(z.enum(frequencyNames))
            .min(1)
            .max(frequencyNames.length)
            .default([...frequencyNames])
            .describe(
              "Which of them: the frequency with the most power, in hertz; how evenly power is spread, 0 to 1; its mean frequency " +
                "and the deviation from that, in hertz.",
            ),
        })
        .optional()
        .describe(
          "Present, even as `{}`: which frequencies a series is made of (Fourier), `dominant_frequency_60m`. Some 20 µs a row " +
            "of 240 samples.",
        ),
      combined_rates: z
        .record(metricName, combinedRate)
        .prefault({
          millrace_request_rate: { sum: "application_requests_total" },
          millrace_error_rate: {
            sum: "application_requests_total",
            share: 'application_requests_total{code=~"5.."}',
          },
        })
        .describe(
          "Series that are computed of the counters of each entity, by the name of their metric: request rate, error rate, throughput. " +
            "They have rows and features as others. Those that are given replace the default's.",
        ),
      zscore_window: window
        .optional()
        .describe(
          "The window of `zscore`, how many standard deviations a value lies from the mean of the others.",
        ),
    }).describe("Which features are computed."),
    scaling: z
      .strictObject({
        fits_file: readFile(readScalingFits).describe(
          "What `millrace fit` wrote: minimum and maximum, mean and deviation, or quartiles of each series. It is read with the " +
            "configuration.",
        ),
      })
      .optional()
      .describe(
        "Present: `scaled`, the value, or of a counter the rate, as the series' fit scales it; null for series without one.",
      ),
    lateness: durationMs("10m", "0s", "7d").describe(
      "How late a sample may come and still correct the rows after it at once. The processor keeps that much more state.",
    ),
  }).describe("Raw frames to features: the processor."),
  load: section({
    influxdb: section({
      url: url("http://127.0.0.1:8086", "token_file").describe("Where InfluxDB serves its HTTP API."),
      org: text.default("monitoring").describe("Organisation that the bucket belongs to."),
      bucket: text.default("health_metrics").describe("Bucket that rows are written to."),
      token_file: file
        .default(".millrace/secrets/influxdb_token")
        .describe("File that holds an API token that may write to the bucket."),
      timeout: z
        .number()
        .min(0.1)
        .max(600)
        .default(10)
        .describe("How long one write may take.")
        .meta({ unit: "seconds" }),
      batch_size: z
        .int()
        .min(1)
        .max(50_000)
        .default(5000)
        .describe("Lines of one write, at the most.")
        .meta({ unit: "lines" }),
      retention_policies: section({
        hot: durationMs("30d", "1h", "100y").describe(
          "How long rows are kept at full resolution: the retention that the bucket is created with.",
        ),
        warm: durationMs("365d", "1h", "100y")
          .describe("How long the warm tier, of lower resolution, is kept; not shorter than `hot`.")
          .meta({ effective: false }),
        cold: durationMs("5y", "1h", "100y")
          .describe("How long the cold tier, of archives, is kept; not shorter than `warm`.")
          .meta({ effective: false }),
      }).describe("How long data are kept, by tier."),
    }).describe("The InfluxDB that rows are written to."),
  }).describe("Features to InfluxDB: the sink."),
  kafka: section({
    brokers: z
      .array(
        z
          .string()
          .regex(/^([a-zA-Z0-9._-]+|\[[0-9a-fA-F:.]+\]):([1-9]\d{0,4})$/)
          .meta({ expected: "host:port, such as `127.0.0.1:9092`" }),
      )
      .min(1)
      .max(100)
      .default(["127.0.0.1:9092"])
      .describe("Bootstrap servers, each host:port."),
    topic_prefix: z
      .string()
      .regex(/^[a-zA-Z0-9._-]{0,100}$/)
      .default("")
      .describe("Put before the name of every topic, consumer group and transactional id.")
      .meta({ expected: "letters, digits, `.`, `_` and `-`, 100 at the most" }),
    partitions: z
      .int()
      .min(1)
      .max(1000)
      .default(4)
      .describe("Partitions of the metrics topics, when they are created: the bound of parallelism."),
    replication_factor: z
      .int()
      .min(1)
      .max(15)
      .default(1)
      .describe("Replicas of each topic, when it is created. Use 3 on a cluster of three brokers or more."),
    delivery: z
      .enum(["exactly_once", "at_least_once"])
      .default("exactly_once")
      .describe(
        "`exactly_once` commits outputs and input offsets in one transaction; `at_least_once` is cheaper, and may repeat messages.",
      ),
    tls: clientTls.describe(
      "Present, even as `{}`: connections are encrypted, and the broker's certificate checked.",
    ),
    sasl: z
      .strictObject({
        mechanism: z
          .enum(["plain", "scram-sha-256", "scram-sha-512"])
          .default("scram-sha-512")
          .describe("SASL mechanism. `plain` sends the password as it is: use it with `tls` only."),
        username: text.describe("User."),
        password_file: file.describe("File that holds the password."),
      })
      .optional()
      .describe("Authentication at the brokers."),
  }).describe("The Kafka cluster between the services."),
  registry: section({
    url: url("http://127.0.0.1:8081/apis/ccompat/v7", "username and password_file").describe(
      "Where the schema registry serves the Confluent API.",
    ),
    username: text.optional().describe("User of HTTP basic authentication; needs `password_file`."),
    password_file: file.optional().describe("File that holds the password of `username`."),
  }).describe("The schema registry that holds the topics' Avro schemas."),
  telemetry: section({
    host: text
      .default("127.0.0.1")
      .describe(
        "Address that /metrics, /healthz and /readyz are served on; `0.0.0.0` opens them to the network.",
      ),
    ports: section({
      poller: freePort(9301).describe("Port of the poller; 0 takes a free one."),
      processor: freePort(9302).describe("Port of the processor; 0 takes a free one."),
      sink: freePort(9303).describe("Port of the sink; 0 takes a free one."),
      simulator: freePort(9304).describe("Port of the simulator; 0 takes a free one."),
    }).describe("One port a service."),
    log_level: z
      .enum(["trace", "debug", "info", "warn", "error", "silent"])
      .default("info")
      .describe("Least severe level that is logged, as JSON lines on standard error."),
  }).describe("What each service tells of itself."),
  simulator: section({
    seed: z.int().min(0).max(4_294_967_295).default(1).describe("Seed of load, noise and faults."),
    fault_rate: z
      .number()
      .min(0)
      .max(3600)
      .default(12)
      .describe("Injected faults over all services, on average; 0 injects none.")
      .meta({ unit: "faults an hour" }),
  }).describe("The simulated services, whose faults are known."),
  stack: section({
    home: file
      .default(".millrace")
      .describe("Folder of the local servers: programs, data, logs and secrets.")
      .meta({ expected: "the name of a folder" }),
    scrape_interval: durationMs("5s", "1s", "1h").describe("How often the local Prometheus scrapes."),
    kafka_controller_port: port(9093).describe("Port of the local Kafka's controller."),
    node_exporter_port: port(9100).describe("Port of the local node exporter."),
  }).describe("The servers that `npm start` runs on this machine."),
});

/** The configuration as the services read it: defaults filled in, durations in milliseconds. */
export type Config = z.output<typeof etlSchema>;

/** Why a schedule cannot be kept; null for a sound one. */
function scheduleProblem(schedule: string): string | null {
  if (schedule === "manual") return null;
  const expected =
    "expected five cron fields (minute hour day month weekday), such as `0 2 * * *`, or `manual`";
  if (schedule.split(/\s+/).length !== 5) return `${expected}; found ${JSON.stringify(schedule)}`;
  try {
    const next = new Cron(schedule, { paused: true, mode: "5-part", timezone: "UTC" }).nextRun();
    return next === null ? `the schedule ${JSON.stringify(schedule)} never comes` : null;
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^CronPattern: /, "") : String(error);
    return `${expected}; found ${JSON.stringify(schedule)}: ${reason}`;
  }
}

const stages = ["extract", "transform", "load"] as const;

const pipeline = z.strictObject({
  schedule: z
    .string()
    .max(255)
    .superRefine((schedule, context) => {
      const problem = scheduleProblem(schedule);
      if (problem !== null) context.addIssue({ code: "custom", message: problem });
    })
    .describe("When the pipeline runs: five cron fields, in UTC, or `manual`.")
    .meta({ expected: "five cron fields, such as `0 2 * * *`, or `manual`", effective: false }),
  stages: z
    .array(z.enum(stages))
    .min(1)
    .max(stages.length)
    .default([...stages])
    .describe("What a run does, in the order of the dataflow.")
    .meta({ effective: false }),
  timeout: z
    .number()
    .min(1)
    .max(604_800)
    .default(3600)
    .describe("How long one run may take.")
    .meta({ unit: "seconds", effective: false }),
});

export const pipelineSchema = z.strictObject({
  pipelines: z
    .record(entryName, pipeline)
    .prefault({
      real_time: { schedule: "*/5 * * * *", timeout: 300 },
      batch: { schedule: "0 2 * * *", timeout: 3600 },
      backfill: { schedule: "manual", timeout: 7200 },
    })
    .describe("Runs, by name. Pipelines that are given replace all of the default's."),
});

export type Pipelines = z.output<typeof pipelineSchema>;
