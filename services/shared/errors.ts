/**
 * Every error that a person can meet has a code, says whether trying again may help, and tells what to do.
 * docs/errors.md shows this table; a test holds the two together.
 */
export const errorTable = {
  USAGE_INVALID: { retryable: false, action: "See `millrace --help`, or `millrace <command> --help`." },
  CONFIG_INVALID: {
    retryable: false,
    action: "Correct what is named; `millrace check` tries the file.",
  },
  CONFIG_UNREADABLE: {
    retryable: false,
    action:
      "Create the file that is named, or make it readable to Millrace; --config names another configuration.",
  },
  ALREADY_RUNNING: {
    retryable: false,
    action: "Stop it with Ctrl-C where it runs, or give this one another stack.home and other ports.",
  },
  PORT_IN_USE: { retryable: false, action: "Stop what holds the port, or configure another one." },
  TOOL_MISSING: {
    retryable: false,
    action: "Install the tool that is named, or make the server reachable by configuration.",
  },
  DISK_FULL: { retryable: false, action: "Free space on the disk that is named, then start again." },
  SERVER_BUILD_FAILED: {
    retryable: false,
    action: "Read the log that is named; the build goes on where it stopped.",
  },
  SERVER_START_FAILED: { retryable: false, action: "Read the server's log that is named." },
  PROM_UNAVAILABLE: {
    retryable: true,
    action: "Check the url of extract.prometheus, or of the source, and that Prometheus answers.",
  },
  PROM_TIMEOUT: {
    retryable: true,
    action: "Raise the timeout of extract.prometheus, or of the source, or poll fewer series in one job.",
  },
  PROM_BAD_RESPONSE: {
    retryable: true,
    action:
      "Check that the url of extract.prometheus, or of the source, is a Prometheus API and not a proxy's page.",
  },
  PROM_QUERY_REFUSED: { retryable: false, action: "Correct the selector that Prometheus refused." },
  PROM_WINDOW_TOO_LARGE: {
    retryable: false,
    action:
      "Shorter windows are tried by themselves; if this stays, split the job or raise --query.max-samples.",
  },
  PROM_INCOMPLETE: {
    retryable: true,
    action:
      "Prometheus's own log says which data it could not read; a server that counts otherwise needs completeness: off in the job.",
  },
  PROM_UNAUTHORIZED: {
    retryable: false,
    action: "Check the credentials of extract.prometheus, or of the source.",
  },
  LIMIT_SERIES: {
    retryable: false,
    action: "Narrow the job's selectors, drop series by its rules, or raise extract.limits.series_max.",
  },
  LIMIT_LABELS: {
    retryable: false,
    action: "Drop labels by a rule (labeldrop), or raise extract.limits.labels_max.",
  },
  LIMIT_LABEL_NAME: {
    retryable: false,
    action: "Drop or shorten the label by a rule, or raise extract.limits.label_name_bytes_max.",
  },
  LIMIT_LABEL_VALUE: {
    retryable: false,
    action: "Drop or shorten the label by a rule, or raise extract.limits.label_value_bytes_max.",
  },
  LIMIT_SAMPLES: {
    retryable: false,
    action:
      "Divide the templates among more jobs, drop series by rules, or raise extract.limits.samples_max.",
  },
  RELABEL_NO_NAME: {
    retryable: false,
    action: "Correct the job's rules: they must leave __name__, or drop the series by a rule of their own.",
  },
  RELABEL_SAME_SERIES: {
    retryable: false,
    action:
      "Correct the job's rules: keep the label that tells the series apart, or drop all but one of them.",
  },
  KAFKA_UNAVAILABLE: { retryable: true, action: "Check kafka.brokers and that the brokers answer." },
  KAFKA_FENCED: { retryable: true, action: "Another instance took this work over; nothing is to be done." },
  KAFKA_TOPIC_MISSING: { retryable: true, action: "Create the topics with `millrace topics --create`." },
  REGISTRY_UNAVAILABLE: {
    retryable: true,
    action: "Check registry.url and that the schema registry answers.",
  },
  REGISTRY_UNAUTHORIZED: { retryable: false, action: "Check the credentials of registry." },
  SCHEMA_INCOMPATIBLE: {
    retryable: false,
    action: "The registry refused the new schema: keep the field, or give its topic a new name.",
  },
  SCHEMA_UNKNOWN: {
    retryable: false,
    action: "The message names a schema that the registry does not have; find out who wrote it.",
  },
  MESSAGE_UNDECODABLE: {
    retryable: false,
    action: "The bytes are no Avro message in the registry's format; find out who wrote them.",
  },
  INFLUX_UNAVAILABLE: {
    retryable: true,
    action: "Check load.influxdb.url and that InfluxDB answers; Kafka keeps the rows meanwhile.",
  },
  INFLUX_UNAUTHORIZED: {
    retryable: false,
    action: "Check load.influxdb.token_file: the token may not write to the bucket.",
  },
  INFLUX_BUCKET_MISSING: {
    retryable: false,
    action: "Create the bucket and organisation of load.influxdb, or correct their names.",
  },
  INFLUX_LINE_REFUSED: { retryable: false, action: "The row is in metrics.dead with InfluxDB's own words." },
  VERIFY_NOTHING_YET: {
    retryable: false,
    action: "Start the poller, or name an earlier --from; `millrace status` tells how far behind it is.",
  },
  BACKFILL_TARGET_DOWN: {
    retryable: false,
    action: "Nothing can be fetched, nor is it tried again: Prometheus itself has a gap there.",
  },
  BACKFILL_NO_SAMPLES: {
    retryable: false,
    action: "Check --match and how long Prometheus keeps samples (--storage.tsdb.retention.time).",
  },
  BACKFILL_TOO_OLD: {
    retryable: false,
    action:
      "Ask for a later beginning, or raise retention.ms of metrics.raw and metrics.features first (kafka-configs.sh --alter).",
  },
  BACKFILL_REFUSED: {
    retryable: false,
    action: "Correct the request; `millrace backfill` checks it before.",
  },
  BACKFILL_UNKNOWN: {
    retryable: false,
    action: "`millrace backfill --list` shows the requests of the last 30 days.",
  },
  INPUT_UNREADABLE: { retryable: false, action: "Name a readable file with --input." },
  OUTPUT_UNWRITABLE: {
    retryable: false,
    action: "Name a file with --output that may be written, on a disk with room.",
  },
  INPUT_INVALID: { retryable: false, action: "Correct the line of the input that is named." },
  FITS_UNREADABLE: { retryable: false, action: "Name a file that `millrace fit` wrote." },
  MODEL_UNREADABLE: {
    retryable: false,
    action: "Name an ONNX model that Millrace may read; onnxruntime's own words say what it lacks.",
  },
  MODEL_SHAPE: {
    retryable: false,
    action:
      "Export the model for [rows, columns] of float32 or float64, its rows free (a dynamic axis) and a column for each series.",
  },
  INTERRUPTED: { retryable: false, action: "Start it again; it begins anew." },
  SHUTDOWN_TIMEOUT: {
    retryable: false,
    action: "A stop took longer than its limit; what was not committed is read again at the next start.",
  },
  INTERNAL: { retryable: false, action: "This is a defect of Millrace; please report it with the log line." },
} as const satisfies Record<string, { retryable: boolean; action: string }>;

export type ErrorCode = keyof typeof errorTable;

/** An error that a person is told of. `message` says what happened, `action` what to do. */
export class MillraceError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly action: string;
  /** How long the other side asked us to wait, in milliseconds, where it said so (Retry-After). */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; retryAfterMs?: number | undefined } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "MillraceError";
    this.code = code;
    this.retryable = errorTable[code].retryable;
    this.action = errorTable[code].action;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Any thrown value as a MillraceError; what nobody foresaw becomes INTERNAL. */
export function asMillraceError(thrown: unknown): MillraceError {
  if (thrown instanceof MillraceError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new MillraceError("INTERNAL", message, { cause: thrown });
}

/** The one line that a person sees. */
export function errorLine(thrown: unknown): string {
  const error = asMillraceError(thrown);
  return `${error.code}: ${error.message} ${error.action}`;
}

/** Exit codes of every command, after sysexits.h where it has one. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  unavailable: 69,
  internal: 70,
  configuration: 78,
} as const;

export function exitCodeOf(thrown: unknown): number {
  const { code, retryable } = asMillraceError(thrown);
  if (code === "INTERNAL") return exitCodes.internal;
  if (code === "USAGE_INVALID") return exitCodes.usage;
  if (retryable) return exitCodes.unavailable;
  const isConfiguration: readonly ErrorCode[] = [
    "CONFIG_INVALID",
    "CONFIG_UNREADABLE",
    "PROM_QUERY_REFUSED",
    "PROM_UNAUTHORIZED",
    "INFLUX_UNAUTHORIZED",
    "INFLUX_BUCKET_MISSING",
    "REGISTRY_UNAUTHORIZED",
    "SCHEMA_INCOMPATIBLE",
    "MODEL_UNREADABLE",
    "MODEL_SHAPE",
  ];
  return isConfiguration.includes(code) ? exitCodes.configuration : exitCodes.failure;
}
