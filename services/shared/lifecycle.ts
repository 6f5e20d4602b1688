import { MillraceError, asMillraceError, exitCodeOf } from "./errors.js";
import { type Telemetry, type Logger, createLogger, createTelemetry } from "./telemetry.js";
import type { Config } from "./config-schema.js";

/** How long a stop may take before the process ends regardless. */
export const STOP_LIMIT_MS = 10_000;

export type ServiceName = keyof Config["telemetry"]["ports"];

export interface ServiceContext {
  readonly config: Config;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
  /** Aborted when the service is asked to stop. Every wait takes it. */
  readonly stopping: AbortSignal;
  /** Ends the service with an error, from anywhere. */
  readonly fail: (error: unknown) => void;
}

/**
 * Runs one service to its end: telemetry up, `start`, then wait for SIGTERM, SIGINT, the parent's going, or a failure,
 * then `stop`. Resolves to the process's exit code; whoever calls sets it.
 * `start` returns what stops the service; it must lose nothing and end within STOP_LIMIT_MS.
 */
export async function runService(
  name: ServiceName,
  config: Config,
  start: (context: ServiceContext) => Promise<() => Promise<void>>,
): Promise<number> {
  const logger = createLogger(name, config.telemetry.log_level);
  const telemetry = createTelemetry(name);
  const stopping = new AbortController();
  let failure: unknown;
  const fail = (error: unknown) => {
    if (isOfAbort(error, stopping.signal)) return;
    failure ??= error;
    stopping.abort();
  };
  const stop = () => stopping.abort();
  const onUncaught = (error: unknown) => fail(error);
  process.on("SIGTERM", stop).on("SIGINT", stop);
  // Started by a supervisor: when it dies, however it dies, nothing may be left behind.
  process.on("disconnect", stop);
  process.on("uncaughtException", onUncaught).on("unhandledRejection", onUncaught);

  try {
    const port = await telemetry.listen(config.telemetry.host, config.telemetry.ports[name]);
    logger.info({ event: "service.starting", port, pid: process.pid });
    const aborted = new Promise<void>((resolve) => {
      if (stopping.signal.aborted) resolve();
      else stopping.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    const run = async () => {
      const stopService = await start({ config, logger, telemetry, stopping: stopping.signal, fail });
      if (!stopping.signal.aborted) {
        telemetry.setReadiness("start", null);
        logger.info({ event: "service.ready" });
      }
      await aborted;
      telemetry.setReadiness("stop", "stopping");
      logger.info({ event: "service.stopping" });
      await stopService();
    };
    // The limit holds for a stop in the middle of the start, too.
    await Promise.race([run(), aborted.then(() => stopLimit(name))]);
  } catch (error) {
    fail(error);
  }
  await telemetry.close();
  // Listening to the parent keeps the process alive.
  process.off("disconnect", stop);

  if (failure === undefined) {
    logger.info({ event: "service.stopped" });
    return 0;
  }
  const { code, message, action, stack } = asMillraceError(failure);
  logger.fatal({ event: "service.failed", code, action, ...(code === "INTERNAL" ? { stack } : {}) }, message);
  return exitCodeOf(failure);
}

/** A wait that the stop itself cut short is no failure. Node's own waits wrap the signal's reason. */
function isOfAbort(error: unknown, { aborted, reason }: AbortSignal): boolean {
  return aborted && (error === reason || (error instanceof Error && error.cause === reason));
}

function stopLimit(name: string): Promise<never> {
  return new Promise((_, reject) => {
    const overdue = () =>
      reject(
        new MillraceError("SHUTDOWN_TIMEOUT", `The ${name} did not stop within ${STOP_LIMIT_MS / 1000} s.`),
      );
    setTimeout(overdue, STOP_LIMIT_MS).unref();
  });
}
