/** How often the group is told that a partition is still being worked on; kafkajs sends a heartbeat every few seconds at most. */
const BEAT_MS = 1_000;

export interface Holding {
  /** For waits, such as the pause before trying again: aborts when the service stops, or the partition is lost. */
  readonly waits: AbortSignal;
  /** For requests under way: aborts when a stop can wait no longer, or the partition is lost. */
  readonly requests: AbortSignal;
}

export interface HoldOptions {
  readonly heartbeat: () => Promise<void>;
  /** The service is to stop: no wait may go on. */
  readonly stopping: AbortSignal;
  /** The stop has waited long enough: no request may go on. */
  readonly cutoff: AbortSignal;
}

/**
 * Runs work on a partition for as long as it takes, hours if InfluxDB is away so long, while heartbeats keep the partition.
 * Rejects as the work does, or as a heartbeat does (the group rebalances; the work is then abandoned). The work must wait
 * for nothing that has no limit of its own: heartbeats would hide it.
 */
export async function holdPartition<Result>(
  { heartbeat, stopping, cutoff }: HoldOptions,
  work: (holding: Holding) => Promise<Result>,
): Promise<Result> {
  const waits = following(stopping);
  const requests = following(cutoff);
  const working = work({ waits: waits.controller.signal, requests: requests.controller.signal });
  try {
    for (;;) {
      const beat = Symbol("beat");
      const first = await beforeNext(working, beat);
      if (first !== beat) return first as Result;
      await heartbeat();
    }
  } catch (error) {
    waits.controller.abort(error);
    requests.controller.abort(error);
    throw error;
  } finally {
    waits.detach();
    requests.detach();
  }
}

async function beforeNext<Result>(working: Promise<Result>, beat: symbol): Promise<Result | symbol> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      working,
      new Promise<symbol>((resolve) => (timer = setTimeout(resolve, BEAT_MS, beat))),
    ]);
  } finally {
    clearTimeout(timer);
  }
}

/** Not AbortSignal.any: signals that live as long as the process must not gather one follower a batch. */
function following(signal: AbortSignal) {
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return { controller, detach: () => signal.removeEventListener("abort", onAbort) };
}
