import { setMaxListeners } from "node:events";
import {
  type BackfillProgress,
  type BackfillRequest,
  type BackfillTable,
  type SourceGap,
  progressMessage,
} from "../../shared/backfill-request.js";
import type { Config } from "../../shared/config-schema.js";
import { bothSelectors } from "../../shared/config-selector.js";
import type { RawFrame } from "../../shared/frame.js";
import type { TransactionalProducer } from "../../shared/kafka.js";
import { internEntity, internSeries } from "../../shared/series.js";
import { entityLabels, toFrames } from "../frames.js";
import type { PollerMetrics } from "../poller-metrics.js";
import type { RawTopic } from "../read-raw-frames.js";
import { deliveries } from "../send-window.js";
import type { SeriesDirectory } from "../series-directory.js";
import type { SentSamples } from "../sent-samples.js";
import type { Assignment } from "../templates.js";
import type { Window } from "../window.js";
import type { BackfillMetrics } from "./backfill-metrics.js";
import type { LiveProgress } from "./live-progress.js";
import { type Work, goesOn, nextWork } from "./next-work.js";
import type { Chunk } from "./plan-chunks.js";
import { type StretchPlan, groupChunks, planStretch } from "./plan-stretch.js";
import { afterChunk, startOf, withoutTooOld } from "./progress.js";
import { readAhead } from "./read-ahead.js";
import { type ChunkRead, type ChunkSource, isTooMuch, readChunk, untilAnswered } from "./read-chunk.js";
import { readSent, scanSent } from "./read-sent.js";
import type { SentExtents } from "./sent-extents.js";

/** What a session of the backfill works with. */
export interface HealingSide {
  readonly config: Config["extract"]["backfill"];
  readonly clientOf: (job: string) => ChunkSource["client"];
  readonly outage: ChunkSource["outage"];
  readonly assignmentOf: (job: string) => Assignment;
  readonly directoryOf: (job: string) => SeriesDirectory;
  readonly raw: RawTopic & { readonly schemaId: number; readonly partitions: number };
  readonly requests: { readonly topic: string; readonly schemaId: number };
  readonly producer: TransactionalProducer;
  readonly table: BackfillTable;
  readonly live: LiveProgress;
  /** The oldest event time that may be backfilled now, milliseconds since the epoch. */
  readonly oldest: () => Promise<number>;
  /** Waits until so many more samples may be sent. */
  readonly takeSamples: (signal: AbortSignal, samples: number) => Promise<void>;
  readonly metrics: BackfillMetrics;
  readonly pollerMetrics: PollerMetrics;
  readonly now: () => number;
}

/** Samples whose presence in metrics.raw is looked up at one go: tens of megabytes, and seconds to minutes of work. */
const LOOKED_UP_MAX = 1_000_000;

/** How much time is counted at one go: longer where there is little in it, shorter where that is too much for Prometheus. */
const FIRST_STRETCH_MS = 3_600_000;
const MAX_STRETCH_MS = 86_400_000;
const MIN_STRETCH_MS = 60_000;

/**
 * Serves work from its beginning to its end, chunk by chunk: each one's frames, and how far its requests are then, are one
 * transaction. Samples that are in metrics.raw already are not sent again. Returns early, between two chunks, where something
 * else has become more urgent. Rejects with what is wrong with the work itself, and as Kafka and Prometheus do.
 */
export async function heal(work: Work, side: HealingSide, signal: AbortSignal): Promise<void> {
  const oldest = await side.oldest();
  if (work.from < oldest) {
    const tooOld = work.members.filter(({ from }) => from < oldest);
    await commitProgress(
      tooOld.map(({ request }) => request),
      side,
      (status) => withoutTooOld(status, oldest, side.now()),
    );
    return;
  }
  // Whoever waits sees that it has begun.
  await commitProgress(
    work.members.map(({ request }) => request),
    side,
    ({ request, progress }) => progress ?? startOf(request, side.now()),
  );
  const extents = await scanSent(work, side.raw, signal);
  const source = sourceOf(work, side);
  let stretchMs = FIRST_STRETCH_MS;
  for (let at = work.from; at < work.to;) {
    const stretch = { from: at, to: Math.min(at + stretchMs, work.to) };
    let plan: StretchPlan;
    try {
      plan = await planOf(stretch, work, source, side, signal);
    } catch (error) {
      if (!isTooMuch(error) || stretch.to - stretch.from <= MIN_STRETCH_MS) throw error;
      stretchMs = Math.max(Math.floor((stretch.to - stretch.from) / 2), MIN_STRETCH_MS);
      continue;
    }
    for (const group of groupChunks(plan.chunks, LOOKED_UP_MAX)) {
      if (!(await healGroup(group, plan.gaps, { work, source, extents }, side, signal))) return;
    }
    at = stretch.to;
    const expected = plan.chunks.reduce((sum, chunk) => sum + chunk.expected, 0);
    if (expected < LOOKED_UP_MAX / 4) stretchMs = Math.min(stretchMs * 2, MAX_STRETCH_MS);
  }
}

function planOf(
  stretch: Window,
  { members }: Work,
  { client, templates, outage }: ChunkSource,
  side: HealingSide,
  signal: AbortSignal,
): Promise<StretchPlan> {
  const from = {
    client,
    selectors: templates.flatMap(({ selectors }) => selectors),
    samplesMax: side.config.chunk_samples,
    cuts: members.flatMap((member) => [member.from, member.to]),
  };
  const isDivisible = stretch.to - stretch.from > MIN_STRETCH_MS;
  return untilAnswered(() => planStretch(stretch, from, signal), { outage, isDivisible }, signal);
}

function sourceOf({ job, selector }: Work, side: HealingSide): ChunkSource {
  const templates = side.assignmentOf(job).own.map((template) => ({
    ...template,
    selectors:
      selector === "" ? template.selectors : template.selectors.map((own) => bothSelectors(own, selector)),
  }));
  const { outage, clientOf, directoryOf } = side;
  return { client: clientOf(job), outage, templates, directory: directoryOf(job) };
}

/** Serves chunks that are looked up in metrics.raw together. Resolves to whether the work goes on. */
async function healGroup(
  chunks: readonly Chunk[],
  gaps: readonly SourceGap[],
  of: { work: Work; source: ChunkSource; extents: SentExtents },
  side: HealingSide,
  signal: AbortSignal,
): Promise<boolean> {
  const { work, source, extents } = of;
  const window = { from: chunks[0].from, to: chunks[chunks.length - 1].to };
  const sent = await sentOf(window, chunks, { work, source, extents }, side, signal);
  // What was read ahead has no use any more once the group is left. AbortSignal.any would leak on signals that live long.
  const leaving = new AbortController();
  const leave = () => leaving.abort(signal.reason);
  signal.addEventListener("abort", leave, { once: true });
  setMaxListeners(0, leaving.signal);
  const tasks = chunks.map((chunk) => async () => {
    await side.live.untilUpToDate(leaving.signal);
    const endTimer = side.metrics.chunkDuration.startTimer({ job: work.job });
    const read = chunk.expected === 0 ? nothing : await readChunk(chunk, source, sent, leaving.signal);
    return { chunk, read, endTimer };
  });
  try {
    for await (const { chunk, read, endTimer } of readAhead(tasks, side.config.concurrency)) {
      await sendChunk(chunk, read, gaps, work, side, signal);
      endTimer();
      sent.forgetUpTo(chunk.to);
      const [next] = nextWork(side.table.all(), watermarkOf(await side.live.watermarks()));
      if (chunk.to < work.to && !goesOn(work, chunk.to, next)) return false;
    }
  } finally {
    signal.removeEventListener("abort", leave);
    leave();
  }
  return true;
}

export function watermarkOf(watermarks: ReadonlyMap<string, number>): (job: string) => number | undefined {
  return (job) => watermarks.get(job);
}

const nothing: ChunkRead = { runs: [], found: 0, histograms: 0 };

/** Which of the samples that the source may show in the window are in metrics.raw. */
async function sentOf(
  window: Window,
  chunks: readonly Chunk[],
  { work, source, extents }: { work: Work; source: ChunkSource; extents: SentExtents },
  side: HealingSide,
  signal: AbortSignal,
): Promise<SentSamples> {
  const asOne = { outage: source.outage, isDivisible: false };
  const { relabel } = side.assignmentOf(work.job);
  const series = new Set<string>();
  const entities = new Set<string>();
  for (const { selectors, entity } of chunks.every(({ expected }) => expected === 0)
    ? []
    : source.templates) {
    const ask = () => source.client.series(selectors, window, signal);
    for (const found of await untilAnswered(ask, asOne, signal)) {
      const kept = relabel(found);
      if (kept === null) continue;
      const { __name__: metric = "", ...labels } = kept;
      series.add(internSeries(metric, labels, "unknown").key);
      entities.add(internEntity(entityLabels(labels, entity)).key);
    }
  }
  const wanted = { source: work.source, series, entities };
  return readSent(window, wanted, { ...side.raw, extents }, signal);
}

async function sendChunk(
  chunk: Chunk,
  read: ChunkRead,
  gaps: readonly SourceGap[],
  { job, source, members }: Work,
  side: HealingSide,
  signal: AbortSignal,
): Promise<void> {
  const { raw, now } = side;
  const frames = toFrames(read.runs, { source, ingestedAt: now(), liveAfter: Infinity });
  const samples = frames.reduce((sum, { series }) => sum + series.length, 0);
  await side.takeSamples(signal, samples);
  const target = { ...raw, watermark: chunk.to };
  const covered = members.filter(({ from, to }) => from < chunk.to && to > chunk.from);
  const outcome = { window: chunk, found: read.found, sent: samples, gaps };
  await commitProgress(
    covered.map(({ request }) => request),
    side,
    (status) => afterChunk(status, outcome, now()),
    [...deliveries(frames, target, Infinity)].flatMap(({ messages }) => messages),
  );
  count(job, frames, read, samples, side);
}

function count(
  job: string,
  frames: readonly RawFrame[],
  { found, histograms }: ChunkRead,
  samples: number,
  { metrics, pollerMetrics }: HealingSide,
): void {
  metrics.samples.inc({ job, outcome: "sent" }, samples);
  metrics.samples.inc({ job, outcome: "known" }, found - samples);
  pollerMetrics.samples.inc({ job, origin: "backfill" }, samples);
  pollerMetrics.frames.inc({ job, origin: "backfill" }, frames.length);
  pollerMetrics.histograms.inc({ job }, histograms);
}

/** Commits what is new of requests, and messages with it, in one transaction; the table holds it then. */
export async function commitProgress(
  requests: readonly BackfillRequest[],
  side: Pick<HealingSide, "producer" | "requests" | "table">,
  progressOf: (status: {
    request: BackfillRequest;
    progress: BackfillProgress | null;
    cancelled: boolean;
  }) => BackfillProgress,
  messages: Parameters<TransactionalProducer["commit"]>[0] = [],
): Promise<void> {
  const updates = requests.map((request) => ({
    request,
    progress: progressOf(side.table.get(request.id) ?? { request, cancelled: false, progress: null }),
  }));
  await side.producer.commit([
    ...messages,
    ...updates.map(({ request, progress }) => progressMessage(side.requests, request, progress)),
  ]);
  for (const { request, progress } of updates) side.table.progressed(request, progress);
}
