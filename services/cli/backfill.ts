import { setTimeout as sleep } from "node:timers/promises";
import type { Kafka } from "kafkajs";
import { createLogUpdate } from "log-update";
import {
  type BackfillPriority,
  type BackfillRequest,
  type BackfillStatus,
  type BackfillTable,
  createBackfillTable,
  isFinal,
  newRequestId,
  requestMessage,
  stateOf,
} from "../shared/backfill-request.js";
import { oldestBackfill } from "../shared/backfill-limit.js";
import { followRequests, readRequests } from "../shared/backfill-topic.js";
import type { Config } from "../shared/config-schema.js";
import { selectorProblem } from "../shared/config-selector.js";
import { type ErrorCode, MillraceError, exitCodes } from "../shared/errors.js";
import { createKafka, openIdempotentProducer } from "../shared/kafka.js";
import { type Schemas, connectSchemas } from "../shared/schema-registry.js";
import { type Logger, createLogger } from "../shared/telemetry.js";
import { schemaText, topicName, topics } from "../shared/topics.js";
import { parseRange } from "./time-option.js";
import { isUnderWay, listView, outcomeNotes, progressLine, shownBackfill } from "./backfill-view.js";
import type { Terminal } from "./terminal.js";

export interface BackfillOptions {
  readonly from?: string;
  readonly to?: string;
  readonly match?: string;
  readonly job?: string;
  readonly priority: BackfillPriority;
  readonly wait?: boolean;
  readonly watch?: string;
  readonly list?: boolean;
  readonly cancel?: string;
  readonly json?: boolean;
}

/** Where requests are written and read. */
interface Requests {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly schemas: Schemas;
  readonly logger: Logger;
}

/** How often progress is told. */
const TELL_INTERVAL_MS = 1_000;
/** Rates are those of so many of them. */
const RATE_READINGS = 10;

export async function runBackfillCommand(
  config: Config,
  options: BackfillOptions,
  terminal: Terminal,
): Promise<number> {
  checkOptions(options);
  const logger = createLogger("backfill", "silent");
  const requests: Requests = {
    kafka: createKafka(config, "backfill-command", logger, 2),
    topic: topicName("backfill", config.kafka.topic_prefix),
    schemas: connectSchemas(config),
    logger,
  };
  if (options.list === true) return list(requests, options, terminal);
  if (options.cancel !== undefined) return cancel(options.cancel, requests, terminal);
  if (options.watch !== undefined) return watch([options.watch], requests, options, terminal);

  const made = await makeRequests(config, options, requests.kafka, Date.now());
  await write(made, { cancelled: false, timestamp: made[0].requestedAt }, requests);
  const ids = made.map(({ id }) => id);
  if (options.json !== true) for (const line of howToWatch(ids)) await terminal.print(line);
  else if (options.wait !== true)
    for (const request of made)
      await terminal.print(
        JSON.stringify(shownBackfill({ request, cancelled: false, progress: null }, null)),
      );
  return options.wait === true ? watch(ids, requests, options, terminal) : exitCodes.ok;
}

function checkOptions({ from, to, match, job, wait, watch, list, cancel }: BackfillOptions): void {
  const asks = [
    list === true ? "--list" : null,
    watch === undefined ? null : "--watch",
    cancel === undefined ? null : "--cancel",
  ].filter((name) => name !== null);
  const makes = [from, to, match, job].some((option) => option !== undefined) || wait === true;
  if (asks.length > 1) throw new MillraceError("USAGE_INVALID", `${asks.join(" and ")} exclude each other.`);
  if (asks.length === 1 && makes)
    throw new MillraceError(
      "USAGE_INVALID",
      `${asks[0]} takes neither --wait nor what a request is made of.`,
    );
  if (asks.length === 0 && from === undefined)
    throw new MillraceError("USAGE_INVALID", "--from is missing: where does the range begin?");
}

/** One request for each job. Rejects with USAGE_INVALID, BACKFILL_TOO_OLD and KAFKA_UNAVAILABLE. */
async function makeRequests(
  config: Config,
  options: BackfillOptions,
  kafka: Kafka,
  now: number,
): Promise<BackfillRequest[]> {
  const { from, to } = parseRange({ ...options, from: options.from ?? "" }, now);
  if (to > now)
    throw new MillraceError("USAGE_INVALID", "--to is in the future; the live jobs will read that.");
  const selector = options.match ?? "";
  const problem = selector === "" ? null : selectorProblem(selector);
  if (problem !== null) throw new MillraceError("USAGE_INVALID", `--match: ${problem}.`);
  const known = Object.keys(config.extract.jobs);
  if (options.job !== undefined && !known.includes(options.job))
    throw new MillraceError(
      "USAGE_INVALID",
      `There is no job ${JSON.stringify(options.job)} in extract.jobs: ${known.join(", ")}.`,
    );
  const oldest = await oldestBackfill(kafka, config, now);
  if (from < oldest)
    throw new MillraceError(
      "BACKFILL_TOO_OLD",
      `What is older than ${new Date(oldest).toISOString()} might be deleted by Kafka before it is processed.`,
    );
  const jobs = options.job === undefined ? known : [options.job];
  const id = newRequestId();
  return jobs.map((job) => ({
    id: jobs.length === 1 ? id : `${id}.${job}`,
    source: config.extract.jobs[job].source,
    job,
    selector,
    from,
    to,
    priority: options.priority,
    reason: "operator",
    requestedBy: "millrace backfill",
    requestedAt: now,
  }));
}

async function write(
  made: readonly BackfillRequest[],
  at: { cancelled: boolean; timestamp: number },
  { kafka, topic, schemas }: Requests,
): Promise<void> {
  const schemaId = await schemas.register("backfill", schemaText(topics.backfill.schema));
  const producer = await openIdempotentProducer(kafka);
  try {
    await producer.send(made.map((request) => requestMessage({ topic, schemaId }, request, at)));
  } finally {
    await producer.close();
  }
}

function howToWatch(ids: readonly string[]): string[] {
  return [
    ...ids.map((id) => `Request ${id} is written; the poller serves it.`),
    `  millrace backfill --watch ${groupOf(ids[0])}     its progress`,
    `  millrace backfill --cancel ${groupOf(ids[0])}    not any more`,
    "  millrace backfill --list             all of them",
  ];
}

/** Requests that were made together have an id in common. */
function groupOf(id: string): string {
  return id.split(".")[0];
}

function isOf(wanted: string, id: string): boolean {
  return id === wanted || groupOf(id) === wanted;
}

/** Those of an id. Throws BACKFILL_UNKNOWN. */
function find(table: BackfillTable, wanted: string): BackfillStatus[] {
  const found = table.all().filter(({ request }) => isOf(wanted, request.id));
  if (found.length === 0)
    throw new MillraceError("BACKFILL_UNKNOWN", `There is no request ${JSON.stringify(wanted)}.`);
  return found;
}

async function list(requests: Requests, { json }: BackfillOptions, terminal: Terminal): Promise<number> {
  const table = createBackfillTable();
  await readRequests(table, requests, terminal.stopping);
  const shown = table
    .all()
    .sort((a, b) => a.request.requestedAt - b.request.requestedAt)
    .map((status) => shownBackfill(status, null));
  const lines = json === true ? shown.map((each) => JSON.stringify(each)) : listView(shown);
  for (const line of lines) await terminal.print(line);
  return exitCodes.ok;
}

async function cancel(wanted: string, requests: Requests, terminal: Terminal): Promise<number> {
  const table = createBackfillTable();
  await readRequests(table, requests, terminal.stopping);
  const found = find(table, wanted);
  const open = found.filter((status) => !isFinal(status));
  if (open.length > 0) {
    const at = { cancelled: true, timestamp: Date.now() };
    await write(
      open.map(({ request }) => request),
      at,
      requests,
    );
  }
  for (const status of found)
    await terminal.print(
      `Request ${status.request.id} ${open.includes(status) ? "is cancelled; what is done stays" : `was ${stateOf(status)} already`}.`,
    );
  return exitCodes.ok;
}

/** Tells of requests until they have come to their ends, or the person has seen enough. */
async function watch(
  ids: readonly string[],
  requests: Requests,
  options: BackfillOptions,
  terminal: Terminal,
): Promise<number> {
  const { stopping } = terminal;
  const table = createBackfillTable();
  await readRequests(table, requests, stopping);
  const broken = new AbortController();
  const stopFollowing = await followRequests(table, requests, (error) => broken.abort(error));
  const display = openDisplay(options, terminal);
  const readings: Map<string, BackfillStatus>[] = [];
  try {
    for (;;) {
      broken.signal.throwIfAborted();
      const statuses = ids.flatMap((id) => find(table, id));
      readings.push(new Map(statuses.map((status) => [status.request.id, status])));
      if (readings.length > RATE_READINGS) readings.shift();
      const shown = statuses.map((status) =>
        shownBackfill(status, readings[0].get(status.request.id) ?? null),
      );
      await display.tell(shown);
      if (shown.every(({ state }) => !isUnderWay(state))) return outcomeOf(statuses);
      await sleep(TELL_INTERVAL_MS, undefined, { signal: stopping }).catch(() => undefined);
      if (stopping.aborted) return interrupted(ids);
    }
  } finally {
    display.close();
    await stopFollowing();
  }
}

/** Throws the first outcome that is no good one. */
function outcomeOf(statuses: readonly BackfillStatus[]): number {
  for (const { request, progress } of statuses) {
    if (progress !== null && progress.code !== "")
      throw new MillraceError(progress.code as ErrorCode, `Request ${request.id}: ${progress.message}`);
  }
  return statuses.every((status) => stateOf(status) === "healed") ? exitCodes.ok : exitCodes.failure;
}

/** Terminal.print is silent once the person has asked for the end. */
function interrupted(ids: readonly string[]): number {
  process.stderr.write(
    `The poller goes on. Watch it with \`millrace backfill --watch ${groupOf(ids[0])}\`, see all with \`--list\`, ` +
      `end it with \`--cancel ${groupOf(ids[0])}\`.\n`,
  );
  return exitCodes.ok;
}

interface Display {
  readonly tell: (shown: ReturnType<typeof shownBackfill>[]) => Promise<void>;
  readonly close: () => void;
}

function openDisplay({ json }: BackfillOptions, { isLive, paint, print }: Terminal): Display {
  const lines = (shown: Parameters<Display["tell"]>[0]) =>
    shown.flatMap((each) => [
      progressLine(each, paint),
      ...(isUnderWay(each.state) ? [] : outcomeNotes(each)),
    ]);
  if (json !== true && isLive) {
    const draw = createLogUpdate(process.stdout);
    return {
      tell: (shown) => {
        draw(lines(shown).join("\n"));
        return Promise.resolve();
      },
      close: () => draw.done(),
    };
  }
  // Where no person watches lines change, only what is new is told.
  let told = "";
  return {
    tell: async (shown) => {
      const text = json === true ? shown.map((each) => JSON.stringify(each)) : lines(shown);
      if (text.join("\n") === told) return;
      told = text.join("\n");
      for (const line of text) await print(line);
    },
    close: () => undefined,
  };
}
