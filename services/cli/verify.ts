import { Presets, SingleBar } from "cli-progress";
import type { Kafka } from "kafkajs";
import { connectPrometheus } from "../poller/prometheus-client.js";
import { assignmentOf } from "../poller/templates.js";
import { readWatermark } from "../poller/watermark.js";
import type { Window } from "../poller/window.js";
import type { Config } from "../shared/config-schema.js";
import { bothSelectors, matchProblem } from "../shared/config-selector.js";
import { MillraceError, exitCodes } from "../shared/errors.js";
import { createKafka } from "../shared/kafka.js";
import { type Schemas, connectSchemas } from "../shared/schema-registry.js";
import { type SourceConfig, readSources } from "../shared/sources.js";
import { createLogger } from "../shared/telemetry.js";
import { topicName } from "../shared/topics.js";
import { parseRange } from "./time-option.js";
import { checkRegistry } from "./connection-checks.js";
import { isoTime } from "./explain-words.js";
import type { Terminal } from "./terminal.js";
import { compareSides } from "./verify-compare.js";
import { kafkaSide, prometheusSide, wantedSeries } from "./verify-sides.js";
import { type Verification, isDifferent, verificationJson, verificationLines } from "./verify-view.js";

export interface VerifyOptions {
  readonly from: string;
  readonly to?: string;
  readonly match?: string;
  readonly json?: boolean;
}

interface Servers {
  readonly kafka: Kafka;
  readonly schemas: Schemas;
  readonly signal: AbortSignal;
}

/** Compares what Prometheus has of a range with metrics.raw. Resolves to the exit code: 1 where there is a difference. */
export async function runVerify(config: Config, options: VerifyOptions, terminal: Terminal): Promise<number> {
  const now = Date.now();
  const asked = parseRange(options, now);
  if (options.match !== undefined) refuseMatch(options.match);
  const { stopping } = terminal;
  const kafka = createKafka(config, "verify", createLogger("verify", "silent"), 2);
  await checkRegistry(config);
  const servers = { kafka, schemas: connectSchemas(config), signal: stopping };
  try {
    const verifications: Verification[] = [];
    for (const [source, settings] of readSources(config.extract))
      verifications.push(await verifySource({ source, settings, config }, asked, options.match, servers));
    const isJson = options.json === true;
    const lines = isJson
      ? [verificationJson(verifications)]
      : verifications.flatMap((verification) => verificationLines(verification, terminal.paint));
    for (const line of lines) await terminal.print(line);
    const areSame = verifications.every(({ verdicts }) => !verdicts.some(isDifferent));
    return areSame ? exitCodes.ok : exitCodes.failure;
  } catch (error) {
    if (!stopping.aborted || terminal.isOutputClosed()) throw error;
    throw new MillraceError("INTERRUPTED", "Interrupted before the comparison had come to its end.");
  }
}

function refuseMatch(match: string): void {
  const problem = matchProblem(match);
  if (problem !== null) throw new MillraceError("USAGE_INVALID", `--match: ${problem}.`);
}

async function verifySource(
  { source, settings, config }: { source: string; settings: SourceConfig; config: Config },
  asked: Window,
  match: string | undefined,
  servers: Servers,
): Promise<Verification> {
  const jobs = Object.keys(config.extract.jobs).filter((job) => config.extract.jobs[job].source === source);
  const { range, remark } = await settledRange(config, { source, jobs }, asked, servers);
  const asks = jobs.flatMap((job) => {
    const { own, relabel } = assignmentOf(job, config);
    const isRelabelled = config.extract.jobs[job].relabel.length > 0;
    return own.flatMap(({ selectors }) =>
      selectors.map((selector) => ({
        selector: match === undefined ? selector : bothSelectors(selector, match),
        relabel,
        isRelabelled,
      })),
    );
  });
  const client = connectPrometheus(settings, { now: Date.now });
  const progress = showProgress(range);
  const topic = topicName("raw", config.kafka.topic_prefix);
  const { kafka, schemas, signal } = servers;
  try {
    const sides = {
      prometheus: prometheusSide(client, asks, progress.update, signal),
      kafka: kafkaSide(
        { kafka, topic, schemas, source },
        await wantedSeries(client, asks, range, signal),
        signal,
      ),
    };
    return { source, range, remark, verdicts: await compareSides(range, sides) };
  } finally {
    progress.stop();
    await client.close();
  }
}

/** What is newer than a job's watermark may come yet. Rejects with VERIFY_NOTHING_YET. */
async function settledRange(
  config: Config,
  of: { source: string; jobs: readonly string[] },
  asked: Window,
  { kafka, schemas, signal }: Servers,
): Promise<{ range: Window; remark: string | null }> {
  const topic = topicName("state", config.kafka.topic_prefix);
  const from = { kafka, topic, schemas, now: Date.now };
  const watermarks = await Promise.all(
    of.jobs.map(async (job) => ({
      job,
      watermark: await readWatermark({ source: of.source, job }, from, signal),
    })),
  );
  let { to } = asked;
  let remark: string | null = null;
  for (const { job, watermark } of watermarks) {
    if (watermark === null || watermark <= asked.from)
      throw new MillraceError(
        "VERIFY_NOTHING_YET",
        `The job ${job} has brought ${watermark === null ? "nothing" : `all until ${isoTime(watermark)}`} to Kafka yet.`,
      );
    if (watermark >= to) continue;
    to = watermark;
    remark = `What is newer than ${isoTime(to)} is under way: so far the job ${job} has come.`;
  }
  return { range: { from: asked.from, to }, remark };
}

/** How much of the range has been read from Prometheus for the first time: on standard error, where a person watches. */
function showProgress({ from, to }: Window): { update: (toMs: number) => void; stop: () => void } {
  if (!process.stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  const bar = new SingleBar(
    { format: "{bar} {percentage} %, {eta_formatted} left", clearOnComplete: true, stream: process.stderr },
    Presets.shades_classic,
  );
  bar.start(to - from, 0);
  let furthest = from;
  return {
    update: (toMs) => {
      furthest = Math.max(furthest, toMs);
      bar.update(furthest - from);
    },
    stop: () => bar.stop(),
  };
}
