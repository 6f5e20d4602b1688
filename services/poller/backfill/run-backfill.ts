import { setTimeout as sleep } from "node:timers/promises";
import { setMaxListeners } from "node:events";
import type { Kafka } from "kafkajs";
import {
  type BackfillRequest,
  type BackfillTable,
  createBackfillTable,
  stateOf,
} from "../../shared/backfill-request.js";
import { followRequests, readRequests } from "../../shared/backfill-topic.js";
import { oldestBackfill } from "../../shared/backfill-limit.js";
import type { Config } from "../../shared/config-schema.js";
import { type ErrorCode, asMillraceError } from "../../shared/errors.js";
import { openTransactionalProducer, partitionsOf } from "../../shared/kafka.js";
import type { Outage } from "../../shared/outage.js";
import type { Schemas } from "../../shared/schema-registry.js";
import type { Logger } from "../../shared/telemetry.js";
import { topicName } from "../../shared/topics.js";
import type { PollerMetrics } from "../poller-metrics.js";
import { tellLeftOut } from "../left-out.js";
import { createMetricTypes } from "../metric-types.js";
import type { PrometheusClient } from "../prometheus-client.js";
import { createRateLimit } from "../rate-limit.js";
import { type SeriesDirectory, createSeriesDirectory } from "../series-directory.js";
import { assignmentOf } from "../templates.js";
import type { BackfillMetrics } from "./backfill-metrics.js";
import { type HealingSide, commitProgress, heal, watermarkOf } from "./heal.js";
import type { LiveProgress } from "./live-progress.js";
import { nextWork } from "./next-work.js";
import { afterFailure, outcomeUnread } from "./progress.js";

export interface BackfillSide {
  readonly config: Config;
  /** Its own, of the source that a job reads: it waits for its own rate limit, and live polls never do. */
  readonly clientOf: (job: string) => PrometheusClient;
  readonly kafka: Kafka;
  readonly schemas: Schemas;
  /** Of metrics.raw and backfill.requests. */
  readonly schemaIds: { readonly raw: number; readonly backfill: number };
  readonly live: LiveProgress;
  readonly outages: { readonly kafka: Outage; readonly prometheus: Outage };
  /** What is told of that a job's limits and rules leave out of its backfill. */
  readonly limitsOf: (job: string) => Outage;
  readonly metrics: BackfillMetrics;
  readonly pollerMetrics: PollerMetrics;
  readonly logger: Logger;
  readonly now: () => number;
}

/** Waits before a session begins again; kafkajs has tried for some seconds itself by then. */
const FIRST_RESTART_MS = 500;
const MAX_RESTART_MS = 30_000;

/** How often it is looked whether there is something to do. */
const LOOK_INTERVAL_MS = 500;

/**
 * Serves backfill.requests beside the live jobs until the signal. What is in Kafka is the only truth about what was done:
 * each session fences its predecessor, reads the requests back, and goes on from there. Whatever fails, it begins again: live
 * data must not suffer from it.
 */
export async function runBackfill(side: BackfillSide, signal: AbortSignal): Promise<void> {
  let restartMs = FIRST_RESTART_MS;
  const onProgress = () => {
    restartMs = FIRST_RESTART_MS;
    side.outages.kafka.ended();
  };
  while (!signal.aborted) {
    try {
      await runSession(side, onProgress, signal);
    } catch (error) {
      if (isAborted(signal)) return;
      const { code } = side.outages.kafka.failed(error);
      side.metrics.failures.inc({ code });
      await sleep(restartMs * (1 + Math.random()), undefined, { signal }).catch(() => undefined);
      restartMs = Math.min(restartMs * 2, MAX_RESTART_MS);
    }
  }
}

async function runSession(side: BackfillSide, onProgress: () => void, stopping: AbortSignal): Promise<void> {
  const { kafka, schemas, logger, config } = side;
  const { topic_prefix } = config.kafka;
  const topic = topicName("backfill", topic_prefix);
  const broken = new AbortController();
  const signal = AbortSignal.any([stopping, broken.signal]);
  setMaxListeners(0, signal);

  const transactional = await openTransactionalProducer(kafka, `${topic_prefix}millrace.backfill`, logger);
  const producer: HealingSide["producer"] = {
    ...transactional,
    commit: async (...args) => {
      await transactional.commit(...args);
      onProgress();
    },
  };
  try {
    const table = createBackfillTable();
    await readRequests(table, { kafka, topic, schemas, logger }, signal);
    const partitions = await partitionsOf(kafka, topicName("raw", topic_prefix));
    const stopFollowing = await followRequests(table, { kafka, topic, schemas, logger }, (error) =>
      broken.abort(error),
    );
    try {
      await serve(healingSide(side, { table, producer, partitions }), side, signal);
    } finally {
      await stopFollowing();
    }
  } finally {
    await producer.close();
  }
}

function healingSide(
  side: BackfillSide,
  of: { table: BackfillTable; producer: HealingSide["producer"]; partitions: number },
): HealingSide {
  const { config, clientOf, kafka, schemas, schemaIds, now } = side;
  const { topic_prefix } = config.kafka;
  const directories = new Map<string, SeriesDirectory>();
  return {
    config: config.extract.backfill,
    clientOf,
    outage: side.outages.prometheus,
    assignmentOf: (job) => assignmentOf(job, config),
    directoryOf: (job) => {
      const known = directories.get(job);
      if (known !== undefined) return known;
      const assignment = assignmentOf(job, config);
      const limits = side.limitsOf(job);
      const client = clientOf(job);
      const made = createSeriesDirectory({
        client,
        types: createMetricTypes(client, now),
        assignment,
        now,
        onLeftOut: (leftOut) => tellLeftOut(leftOut, assignment.limits, limits),
      });
      directories.set(job, made);
      return made;
    },
    raw: {
      kafka,
      topic: topicName("raw", topic_prefix),
      schemas,
      schemaId: schemaIds.raw,
      partitions: of.partitions,
    },
    requests: { topic: topicName("backfill", topic_prefix), schemaId: schemaIds.backfill },
    producer: of.producer,
    table: of.table,
    live: side.live,
    oldest: () => oldestBackfill(kafka, config, now()),
    takeSamples: createRateLimit(config.extract.backfill.samples_per_second, now),
    metrics: side.metrics,
    pollerMetrics: side.pollerMetrics,
    now,
  };
}

async function serve(healing: HealingSide, side: BackfillSide, signal: AbortSignal): Promise<never> {
  for (;;) {
    signal.throwIfAborted();
    await settleUnread(healing, side);
    tellStates(healing.table, side.metrics);
    const work = nextWork(healing.table.all(), watermarkOf(await side.live.watermarks())).at(0);
    if (work === undefined) {
      await sleep(LOOK_INTERVAL_MS, undefined, { signal });
      continue;
    }
    const { job, selector, priority, from, to } = work;
    const details = {
      job,
      selector,
      priority,
      from,
      to,
      requests: work.members.map(({ request }) => request.id),
    };
    side.logger.info({ event: "backfill.started", ...details });
    try {
      await heal(work, healing, signal);
      side.logger.info({
        event: "backfill.left",
        ...details,
        states: statesOf(details.requests, healing.table),
      });
    } catch (thrown) {
      const error = asMillraceError(thrown);
      if (isAborted(signal) || !ofTheRequest.includes(error.code)) throw thrown;
      side.logger.error({ event: "backfill.gave_up", ...details, code: error.code }, error.message);
      side.metrics.failures.inc({ code: error.code });
      const requests = work.members.map(({ request }) => request);
      await commitProgress(requests, healing, (status) => afterFailure(status, error, side.now()));
    }
  }
}

/** Errors that another request need not meet; all others are waited for. */
const ofTheRequest: readonly ErrorCode[] = [
  "PROM_QUERY_REFUSED",
  "PROM_WINDOW_TOO_LARGE",
  "PROM_BAD_RESPONSE",
  "PROM_INCOMPLETE",
  "INTERNAL",
];

/** What needs no reading is settled at once: cancelled, refused, or known to be a gap of the source. */
async function settleUnread(healing: HealingSide, side: BackfillSide): Promise<void> {
  const all = healing.table.all();
  const jobs = new Map(Object.entries(side.config.extract.jobs).map(([job, { source }]) => [job, source]));
  const settled: BackfillRequest[] = [];
  for (const status of all) {
    const progress = outcomeUnread(status, { jobs, all }, side.now());
    if (progress === null) continue;
    settled.push(status.request);
    const { id, job, from, to } = status.request;
    const { state, code, message } = progress;
    side.logger.info({ event: "backfill.settled", request: id, job, from, to, state, code }, message);
  }
  if (settled.length === 0) return;
  await commitProgress(settled, healing, (status) => outcomeUnread(status, { jobs, all }, side.now())!);
}

const states = ["requested", "healing", "healed", "unhealable", "failed", "cancelled"] as const;

function tellStates(table: BackfillTable, metrics: BackfillMetrics): void {
  const counts = new Map<string, number>(states.map((state) => [state, 0]));
  for (const status of table.all()) {
    const state = stateOf(status);
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  for (const [state, count] of counts) metrics.requests.set({ state }, count);
}

function statesOf(ids: readonly string[], table: BackfillTable): string[] {
  return ids.map((id) => {
    const status = table.get(id);
    return status === undefined ? "requested" : stateOf(status);
  });
}

/** Asked again after a wait, which the type of `aborted` knows nothing of. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
