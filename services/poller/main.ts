import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { createKafka } from "../shared/kafka.js";
import type { ServiceContext } from "../shared/lifecycle.js";
import { untilDone } from "../shared/retry.js";
import { connectSchemas } from "../shared/schema-registry.js";
import { DEFAULT_SOURCE } from "../shared/source-name.js";
import { schemaText, topics } from "../shared/topics.js";
import { createBackfillMetrics } from "./backfill/backfill-metrics.js";
import { createLiveProgress } from "./backfill/live-progress.js";
import { runBackfill } from "./backfill/run-backfill.js";
import { runJob } from "./job.js";
import { openSources } from "./open-sources.js";
import { createOutage } from "../shared/outage.js";
import { tellLeftOut } from "./left-out.js";
import { countLeftOut, createPollerMetrics } from "./poller-metrics.js";
import { startReceiver } from "./remote-write/receiver.js";
import { createSeriesDirectory } from "./series-directory.js";
import { assignmentOf } from "./templates.js";

/** A transaction with a Kafka that is away may take a minute to fail. Its outcome is read back at the next start. */
const STOP_WAIT_MS = 6_000;

/**
 * Polls Prometheus into metrics.raw until the service is stopped: one loop for each job, beside each other; and receives
 * what Prometheus sends by itself, where that is asked for.
 * Resolves once the schemas are registered; Kafka and Prometheus may be away, readiness says so. Resolves to what stops it.
 */
export async function startPoller(context: ServiceContext): Promise<() => Promise<void>> {
  const { config, logger, telemetry, stopping, fail } = context;
  const { setReadiness } = telemetry;
  const now = Date.now;
  // Each query of each job listens to it; Node takes more than ten listeners for a leak.
  setMaxListeners(0, stopping);

  const registryOutage = createOutage({
    subject: "registry",
    details: {},
    logger,
    setReason: (reason) => setReadiness("registry", reason),
    now,
  });
  const schemas = connectSchemas(config);
  const register = (topic: "raw" | "state" | "backfill") =>
    untilDone(() => schemas.register(topic, schemaText(topics[topic].schema)), {
      outage: registryOutage,
      signal: stopping,
    });
  const schemaIds = {
    raw: await register("raw"),
    state: await register("state"),
    backfill: await register("backfill"),
  };

  const metrics = createPollerMetrics(telemetry.metrics);
  const sources = openSources(config.extract, { metrics, now });
  const kafka = createKafka(config, "poller", logger);

  const stopReceiver = config.extract.remote_write.enabled
    ? await startReceiver(context, { kafka, schemas, schemaIds, metrics, now })
    : () => Promise.resolve();

  const jobs = Object.entries(config.extract.jobs).map(([job, schedule]) => {
    const outageOf = (subject: string, condition: string) =>
      createOutage({
        subject,
        details: { job },
        logger,
        setReason: (reason) => setReadiness(`${condition} (${job})`, reason),
        now,
      });
    setReadiness(
      `kafka (${job})`,
      `KAFKA_UNAVAILABLE: waiting for Kafka at ${config.kafka.brokers.join(", ")}`,
    );
    const { name: source, url, client, types, complete } = sources.of(job);
    const condition = source === DEFAULT_SOURCE ? "prometheus" : `prometheus ${source}`;
    setReadiness(`${condition} (${job})`, `PROM_UNAVAILABLE: no answer yet of Prometheus at ${url}`);
    const assignment = assignmentOf(job, config);
    const limits = outageOf("limits", "limits");
    const from = {
      job,
      source,
      schedule,
      templates: assignment.own,
      client,
      complete: schedule.completeness === "count" ? complete : null,
      directory: createSeriesDirectory({
        client,
        types,
        assignment,
        now,
        onLeftOut: (leftOut) => {
          countLeftOut(job, leftOut, metrics);
          tellLeftOut(leftOut, assignment.limits, limits);
        },
      }),
      outage: outageOf("poll", condition),
      metrics,
      now,
    };
    const to = {
      kafka,
      topicPrefix: config.kafka.topic_prefix,
      schemas,
      schemaIds,
      outage: outageOf("kafka", "kafka"),
      logger,
      onFailure: (code: string) => metrics.kafkaFailures.inc({ job, code }),
    };
    return runJob(from, to, stopping).catch((error: unknown) => {
      if (!stopping.aborted) fail(error);
    });
  });

  // What a backfill waits for makes nobody wait for the poller: it is told of, and no matter of readiness.
  const backfillOutage = (subject: string, details = {}) =>
    createOutage({ subject, details, logger, setReason: () => undefined, now });
  const backfill = runBackfill(
    {
      config,
      clientOf: (job) => sources.of(job).backfillClient,
      kafka: createKafka(config, "backfill", logger),
      schemas,
      schemaIds,
      live: createLiveProgress({ metrics, extract: config.extract, now }),
      outages: { kafka: backfillOutage("backfill"), prometheus: backfillOutage("backfill.poll") },
      limitsOf: (job) => backfillOutage("backfill.limits", { job }),
      metrics: createBackfillMetrics(telemetry.metrics),
      pollerMetrics: metrics,
      logger,
      now,
    },
    stopping,
  ).catch(fail);

  return async () => {
    await Promise.all([
      Promise.race([Promise.all([...jobs, backfill]), sleep(STOP_WAIT_MS, undefined, { ref: false })]),
      stopReceiver(STOP_WAIT_MS),
    ]);
    await sources.close();
  };
}
