import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { scalers } from "../kernels/scale/scalers.js";
import { defaultConfigFile } from "../shared/config.js";
import type { Config } from "../shared/config-schema.js";
import { exitCodes } from "../shared/errors.js";
import type { FitOptions } from "./fit.js";
import type { ServiceContext, ServiceName } from "../shared/lifecycle.js";
import type { BackfillOptions } from "./backfill.js";
import type { MissingOptions } from "./missing.js";

/** Runs a command to its end and keeps its exit code. */
export type RunCommand = (command: () => Promise<number>) => Promise<void>;

const exitCodeMeanings: Record<keyof typeof exitCodes, string> = {
  ok: "done; for status and check: everything is ready",
  failure: "the work failed; the line on standard error says why",
  usage: "no such command or option",
  unavailable: "a server or service does not answer, or is not ready; trying again may help",
  internal: "a defect of Millrace",
  configuration: "the configuration, or what it names, must be corrected first",
};

const exitCodeTable = Object.entries(exitCodeMeanings)
  .map(([name, meaning]) => `  ${String(exitCodes[name as keyof typeof exitCodes]).padStart(2)}  ${meaning}`)
  .join("\n");

/**
 * All commands, their options and their help. What a command does is loaded when it runs, so that help comes at once.
 */
export function createProgram(run: RunCommand): Command {
  const program = new Command("millrace")
    .description(
      "Prometheus metrics in, clean feature-rich time series out:\n" +
        "Prometheus → poller → metrics.raw → processor → metrics.features → sink → InfluxDB.",
    )
    .version(packageVersion(), "-V, --version")
    .addOption(
      new Option("-c, --config <file>", "the configuration")
        .env("MILLRACE_CONFIG")
        .default(defaultConfigFile),
    )
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .showSuggestionAfterError()
    .addHelpText(
      "after",
      `
Examples:
  millrace up                       everything on this machine, with a live status
  millrace check                    is the configuration sound, and does every server answer?
  millrace status --json            samples a second, lag, latencies, for machines
  millrace tail metrics.features    what comes out, as JSON lines
  millrace process -i raw.ndjson -o features.ndjson    the same offline
  millrace explain node_load1 -i raw.ndjson    how its values and features came about
  millrace verify --from -1h        does Kafka hold exactly what Prometheus has?
  millrace backfill --from -24h --wait    what Kafka lacks of the last day
  millrace missing -i raw.ndjson    which samples are missing, and in which patterns
  millrace fit -i raw.ndjson -o fits.json    what transform.scaling scales by

Errors are one line on standard error: CODE: what happened, and what to do.
docs/errors.md lists the codes. Exit codes:
${exitCodeTable}`,
    );
  const configFile = () => program.opts<{ config: string }>().config;
  const config = async (): Promise<Config> => (await import("../shared/config.js")).loadConfig(configFile());
  const terminal = async () => (await import("./terminal.js")).openTerminal();

  program
    .command("up")
    .description("run everything on this machine, with a live status, until Ctrl-C")
    .option("--docker", "by docker-compose.yml, where a Docker engine is present")
    .option("--json", "one JSON object a line: what happens, and the status every two seconds")
    .addHelpText(
      "after",
      `
Servers that do not answer where the configuration has them (Kafka, schema
registry, InfluxDB, Prometheus, node exporter) are brought to this machine, once,
and run under stack.home, on the loopback only. Then the topics, schemas and the
bucket are created, and poller, processor, sink and, beside a Prometheus of its
own, the simulator run as supervised processes. Ctrl-C stops all of it; the data
stay for the next start. A second Ctrl-C waits for nothing.

\`npm start\` is this command after the set-up of a fresh clone.

Examples:
  millrace up
  millrace up --docker
  millrace up --json`,
    )
    .action((options: { docker?: boolean; json?: boolean }) =>
      run(async () => {
        const { runUp } = await import("./up.js");
        const exitCode = await runUp(configFile(), await config(), options, await terminal());
        // As with the services: kafkajs may still be trying to connect.
        setTimeout(() => process.exit(exitCode), 500).unref();
        return exitCode;
      }),
    );

  const services: [ServiceName, string, string][] = [
    [
      "poller",
      "read Prometheus, write metrics.raw",
      "One poller runs at a time: a second one with the same configuration takes the\nwork over.",
    ],
    [
      "processor",
      "read metrics.raw, write metrics.clean and metrics.features",
      "Start up to as many as there are partitions: they share these between them.",
    ],
    [
      "sink",
      "read metrics.features, write to InfluxDB",
      "Start up to as many as there are partitions: they share these between them.",
    ],
    [
      "simulator",
      "serve the metrics of a small graph of services with known faults",
      "Something real to measure, where there is nothing yet.",
    ],
  ];
  for (const [name, description, remark] of services) {
    program
      .command(name)
      .description(description)
      .addHelpText(
        "after",
        `
${remark}
Runs until SIGTERM or Ctrl-C, and then stops within 10 s with nothing lost.
Serves /metrics, /healthz and /readyz on telemetry.ports.${name}; logs are
JSON lines on standard error.

Example:
  millrace ${name} --config config/etl_config.yaml`,
      )
      .action(() =>
        run(async () => {
          const { runService } = await import("../shared/lifecycle.js");
          const exitCode = await runService(name, await config(), await loadService(name));
          // kafkajs cannot be interrupted while it connects; a service that has stopped does not wait for it.
          setTimeout(() => process.exit(exitCode), 500).unref();
          return exitCode;
        }),
      );
  }

  program
    .command("check")
    .description("validate the configuration, then try every connection that it names")
    .option("--offline", "only the configuration file")
    .option("--json", "one JSON object: {ok, checks: [{name, ok, detail, code?, action?}]}")
    .addHelpText(
      "after",
      `
Tries Prometheus, Kafka and its topics, the schema registry, and whether the
token may write to InfluxDB's bucket. Nothing is changed. Exit code 0; 78 where
the configuration must be corrected; 69 where a server does not answer.

Examples:
  millrace check
  millrace check --offline --config my.yaml
  millrace check --json | jq '.checks[] | select(.ok | not)'`,
    )
    .action((options: { offline?: boolean; json?: boolean }) =>
      run(async () => {
        const { runCheck } = await import("./check.js");
        return runCheck(configFile(), options, await terminal());
      }),
    );

  program
    .command("status")
    .description("state, throughput, lag and latency of every stage")
    .option("--json", "one JSON object (with --watch: one a line)")
    .option("-w, --watch", "go on until Ctrl-C; rates and recent latencies are then over the last minute")
    .option("--over <seconds>", "the time between the two readings that rates come from", positiveNumber, 5)
    .addHelpText(
      "after",
      `
Exit code 0 when every stage is ready, 69 otherwise. The JSON object:
  at, ready, overSeconds, samplesPerSecond
  rowsWritten            rows written to InfluxDB since the sink started
  scrapeToInfluxSeconds  from the time that Prometheus gave a sample to
                         InfluxDB's acknowledgement of its row, live samples
                         only: {recent, sinceStart}, each
                         {count, p50, p95, p99}
  sources.<name>         whether the poller's last query of that Prometheus
                         succeeded
  stages.<poller|processor|sink>
    ready, reasons       reasons: by condition
    uptimeSeconds, residentBytes
    perSecond, total     samples; rows in the sink
    lagMessages          input not read yet (processor, sink)
    lagSeconds           age of the oldest watermark (poller)
    latencySeconds       {recent, sinceStart}: of a poll; from reading
                         Prometheus to committed features; of a write
    failures             by error code: failed polls, or dead letters
What is not known is null. recent: between the two readings.

Examples:
  millrace status
  millrace status --watch
  millrace status --json | jq .scrapeToInfluxSeconds.sinceStart.p99`,
    )
    .action((options: { json?: boolean; watch?: boolean; over: number }) =>
      run(async () => {
        const { runStatus } = await import("./status.js");
        return runStatus(await config(), options, await terminal());
      }),
    );

  program
    .command("topics")
    .description("the topics: key, cleanup, retention, partitions, and whether they exist")
    .option("--create", "create those that are missing")
    .option("--json", "one JSON object: {topics: [{name, key, cleanup, retentionMs, partitions, exists}]}")
    .addHelpText(
      "after",
      `
Examples:
  millrace topics
  millrace topics --create`,
    )
    .action((options: { create?: boolean; json?: boolean }) =>
      run(async () => {
        const { runTopics } = await import("./topics.js");
        return runTopics(await config(), options, await terminal());
      }),
    );

  program
    .command("tail")
    .description("print a topic's messages as JSON lines, decoded, as they arrive")
    .argument("<topic>", "metrics.raw, metrics.clean, metrics.features, metrics.dead, ...")
    .option("-e, --entity <labels>", "only of entities with these labels: job=api,instance=a:80")
    .option("-b, --from-beginning", "from the oldest message on")
    .option("-s, --since <duration>", "from this event time on: 90s, 10m, 2h")
    .option("-n, --limit <messages>", "stop after so many", positiveNumber)
    .addHelpText(
      "after",
      `
Without --from-beginning or --since: what is written from now on. NaN is null.
Lines of metrics.raw are what \`millrace process\` reads. Messages of metrics.dead
are {key, timestamp, headers, value}: the headers say where a message came from
and what was wrong with it.

Examples:
  millrace tail metrics.features
  millrace tail metrics.features --entity service=api --since 10m --limit 5
  millrace tail metrics.dead --from-beginning | jq .headers`,
    )
    .action(
      (
        topic: string,
        options: { entity?: string; fromBeginning?: boolean; since?: string; limit?: number },
      ) =>
        run(async () => {
          const { runTail } = await import("./tail.js");
          return runTail(await config(), topic, options, await terminal());
        }),
    );

  program
    .command("verify")
    .description("compare what Prometheus has of a range with metrics.raw, series by series")
    .requiredOption("-f, --from <time>", "where the range begins, excluded: -24h, or 2025-10-09T08:53:20Z")
    .option("-t, --to <time>", "where it ends, included: now without it")
    .option("-m, --match <selector>", 'only these of the jobs\' series: node_load1{instance="a:9100"}')
    .option(
      "--json",
      "one JSON object: {same, sources: [{source, from, to, series, prometheus, kafka, differences}]}",
    )
    .addHelpText(
      "after",
      `
Compares counts and checksums of (milliseconds, bits of the value) of each series,
and looks at single samples where they differ. Nothing is changed. What is newer
than the poller's watermark is under way, and left out. Samples are
  missing     where Prometheus has them and Kafka has not
  extra       where Kafka has them and Prometheus has not, or no longer
  doubled     where Kafka has them more than once
  different   where the values are not the same to the bit; all NaN are one
Times at which neither has a sample are no difference. Exit code 0 where all is
the same, 1 where it is not.

Examples:
  millrace verify --from -1h
  millrace verify --from 2025-10-09T00:00:00Z --to 2025-10-10T00:00:00Z
  millrace verify --from -24h --match node_load1 --json | jq .same`,
    )
    .action((options: { from: string; to?: string; match?: string; json?: boolean }) =>
      run(async () => {
        const { runVerify } = await import("./verify.js");
        return runVerify(await config(), options, await terminal());
      }),
    );

  program
    .command("process")
    .description("compute features offline: frames as JSON lines in, features as JSON lines out")
    .requiredOption(
      "-i, --input <file>",
      "frames, as `millrace tail metrics.raw` prints them; - is standard input",
    )
    .requiredOption(
      "-o, --output <file>",
      "frames of features, in the order of emission; - is standard output",
    )
    .addHelpText(
      "after",
      `
The same code as the processor's, without Kafka: to try a configuration, and to
see what the stream will say. A frame is one line:
  {"entity":{"job":"api"},"timestamp":1760000000000,
   "samples":[{"metric":"cpu","labels":{},"type":"gauge","value":1}]}
entity, timestamp (milliseconds) and each sample's metric and value must be there;
origin, source, ingestedAt, labels, type and stale may be. null is NaN. Frames
may come late: the rows that they touch come out again, with a higher revision,
which is the number of the frame that caused them, from 0.

The output's file appears when it is complete. A line that is no frame ends it
with INPUT_INVALID, exit code 1, and its number. What came of the samples is told on
standard error.

Examples:
  millrace process --config my.yaml --input raw.ndjson --output features.ndjson
  millrace tail metrics.raw -b -n 1000 | millrace process -i - -o - | jq .rows`,
    )
    .action((options: { input: string; output: string }) =>
      run(async () => {
        const { runProcess } = await import("./process.js");
        return runProcess(await config(), options, await terminal());
      }),
    );

  program
    .command("explain")
    .description("tell, time by time, how one series' values and features came about")
    .argument("<series>", 'a selector that one series matches: node_load1, cpu{job="api"}')
    .requiredOption("-i, --input <file>", "frames, as `millrace process` reads them; - is standard input")
    .option("-a, --at <time>", "only this time: 2025-10-09T08:53:20Z, or milliseconds since 1970")
    .option("-e, --entity <labels>", "only of entities with these labels: job=api,instance=a:80")
    .option("--json", "one JSON object a time, with all digits")
    .addHelpText(
      "after",
      `
Runs the frames through the processor's operators, as \`millrace process\` does, and
tells of each time of the series: the value as it was read, and from which line;
the rules that it broke, and whether that excludes it; what it is judged by (its
value, or a counter's rate, and of which samples); whether it is an outlier, by
which fences, and what was done; by what and between which samples it was filled
in; and of each feature the value and the samples that it came from.

Each time is told as it stood when its row last went out, corrections by late
frames among it. A selector may name labels of the entity, too. Where no series
matches, or more than one does, the error says which there are; exit code 2.

Examples:
  millrace explain 'cpu{job="api"}' --input raw.ndjson
  millrace explain node_load1 --input raw.ndjson --at 2025-10-09T08:53:20Z
  millrace explain node_load1 -i raw.ndjson --json | jq 'select(.outlier.found)'`,
    )
    .action((series: string, options: { input: string; at?: string; entity?: string; json?: boolean }) =>
      run(async () => {
        const { runExplain } = await import("./explain.js");
        return runExplain(await config(), series, options, await terminal());
      }),
    );

  program
    .command("backfill")
    .description("have a range fetched from Prometheus again, and watch, list and cancel such requests")
    .option("-f, --from <time>", "where the range begins, excluded: -24h, or 2025-10-09T08:53:20Z")
    .option("-t, --to <time>", "where it ends, included: now without it")
    .option("-m, --match <selector>", 'only these of the job\'s series: node_load1{instance="a:9100"}')
    .option("-j, --job <job>", "only this one of extract.jobs; all without it")
    .addOption(
      new Option("-p, --priority <priority>", "what is served first")
        .choices(["low", "normal", "high"])
        .default("normal"),
    )
    .option("-w, --wait", "show the progress until it is done")
    .option("--watch <id>", "show the progress of a request that was made before")
    .option("--list", "the requests of the last 30 days, and what has come of them")
    .option("--cancel <id>", "what is not done yet is not wanted any more")
    .option("--json", "one JSON object a request, and a line")
    .addHelpText(
      "after",
      `
The poller serves requests beside its jobs, at its own rate (extract.backfill), and
pauses while live data are behind. Samples that are in Kafka already are not sent
again. What was killed goes on where it stopped. Requests for the same series that
touch each other are served as one.

Ctrl-C ends the watching only. A request ends as
  healed       all that Prometheus has of the range is in metrics.raw
  unhealable   it has nothing there, was told to be down (up == 0), or some of the
               range is older than Kafka keeps; the code says which
  failed       the code says why
  cancelled
Exit code of --wait and --watch: 0 when healed. The JSON object: id, job,
selector, from, to, priority, reason, requestedBy, state, share (of the range, 0
to 1), healedUntil, found, sent, samplesPerSecond, etaSeconds, downSeconds,
sourceGaps, code, message. found: samples that Prometheus has; sent: those that
were not in Kafka.

Examples:
  millrace backfill --from -24h --wait
  millrace backfill --from 2025-10-09T08:00:00Z --to 2025-10-09T09:00:00Z --job live
  millrace backfill --from -2h --match 'node_load1{job="node"}' --priority high
  millrace backfill --list
  millrace backfill --watch 1f2e3d4c --json
  millrace backfill --cancel 1f2e3d4c`,
    )
    .action((options: BackfillOptions) =>
      run(async () => {
        const { runBackfillCommand } = await import("./backfill.js");
        return runBackfillCommand(await config(), options, await terminal());
      }),
    );

  program
    .command("missing")
    .description("tell how many samples each series in frames lacks, and in which patterns")
    .requiredOption("-i, --input <file>", "frames, as `millrace process` reads them; - is standard input")
    .option("--interval <duration>", "how often a sample is expected, 15s; as the samples have it without it")
    .option("--all", "series that lack nothing, too")
    .option("--json", "one JSON object a series")
    .addHelpText(
      "after",
      `
A series is expected from its first sample to the last one of its entity. Samples
are missing one by one (isolated), two or more in a row (in runs), at the same
phase of a period time and again (periodic; told where chance would hardly do so),
and together with all others of their entity (whole frames). One may be so in
several ways.

Examples:
  millrace missing --input raw.ndjson
  millrace tail metrics.raw -b -n 100000 | millrace missing -i - --json | jq .series`,
    )
    .action((options: MissingOptions) =>
      run(async () => {
        const { runMissing } = await import("./missing.js");
        return runMissing(await config(), options, await terminal());
      }),
    );

  program
    .command("fit")
    .description("fit a scaler to each series of frames, for transform.scaling")
    .requiredOption("-i, --input <file>", "frames, as `millrace process` reads them; - is standard input")
    .requiredOption("-o, --output <file>", "the fits, as JSON; - is standard output")
    .addOption(
      new Option(
        "-s, --scaler <scaler>",
        "min_max: smallest 0, largest 1; z_score: mean 0, deviation 1; robust: median 0, quartiles 1 apart",
      )
        .choices(scalers)
        .default("z_score"),
    )
    .option("--from <time>", "only from this time on: 2025-10-09T08:53:20Z, or milliseconds since 1970")
    .option("--to <time>", "only up to this time")
    .addHelpText(
      "after",
      `
Runs the frames through the processor's operators, as \`millrace process\` does, and
fits the scaler to what windows see of each series: its values, or of a counter
its rates, once outliers were dealt with and gaps filled. The same as scikit-learn's
MinMaxScaler, StandardScaler and RobustScaler.

The file has, of each series, what was fitted and the time from and to which;
transform.scaling.fits_file names it, and then rows have a column \`scaled\`. A
configuration that names a file which is yet to be made is refused: make it first.

Examples:
  millrace fit --input raw.ndjson --output fits.json
  millrace fit -i raw.ndjson -o - --scaler robust --to 2025-10-09T00:00Z | jq .fits`,
    )
    .action((options: FitOptions) =>
      run(async () => {
        const { runFit } = await import("./fit.js");
        return runFit(await config(), options, await terminal());
      }),
    );

  return program;
}

async function loadService(
  name: ServiceName,
): Promise<(context: ServiceContext) => Promise<() => Promise<void>>> {
  switch (name) {
    case "poller":
      return (await import("../poller/main.js")).startPoller;
    case "simulator":
      return (await import("../simulator/main.js")).startSimulator;
    case "processor":
      return (await import("../processor/main.js")).startProcessor;
    case "sink":
      return (await import("../sink/main.js")).startSink;
  }
}

function positiveNumber(text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new InvalidArgumentError("It must be a number above 0.");
  return number;
}

function packageVersion(): string {
  const file = new URL("../../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
