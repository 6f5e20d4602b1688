import { setTimeout as sleep } from "node:timers/promises";
import { createLogUpdate } from "log-update";
import type { Config } from "../shared/config-schema.js";
import { exitCodes } from "../shared/errors.js";
import { createKafka } from "../shared/kafka.js";
import { createLogger } from "../shared/telemetry.js";
import { type StatusReport, type SystemReading, stageNames, statusReport } from "./status-report.js";
import { statusView } from "./status-view.js";
import { readSystem } from "./system-reading.js";
import type { Terminal } from "./terminal.js";

export interface StatusOptions {
  readonly json?: boolean;
  readonly watch?: boolean;
  /** Seconds between the two readings that rates come from. */
  readonly over: number;
}

/** How often a view that is watched is drawn again, and how far apart the readings are that its rates come from. */
const REFRESH_MS = 2_000;
const WATCHED_MS = 60_000;

export async function runStatus(config: Config, options: StatusOptions, terminal: Terminal): Promise<number> {
  const { stopping, paint, print } = terminal;
  const read = systemReader(config);
  if (options.watch === true) {
    const drawn = terminal.isLive && options.json !== true ? createLogUpdate(process.stdout) : null;
    let last: StatusReport | null = null;
    for await (const report of watchStatus(read, stopping)) {
      last = report;
      const text = options.json === true ? JSON.stringify(report) : statusView(report, paint).join("\n");
      if (drawn === null) await print(options.json === true ? text : `${text}\n`);
      else drawn(text);
    }
    drawn?.done();
    return last === null || last.ready ? exitCodes.ok : exitCodes.unavailable;
  }

  const earlier = await read();
  // Where nothing answers there are no rates to wait for.
  if (stageNames.some((name) => earlier.services[name].samples.length > 0)) {
    await sleep(options.over * 1000, undefined, { signal: stopping }).catch(() => undefined);
  }
  const report = statusReport(earlier, await read());
  await print(options.json === true ? JSON.stringify(report, null, 2) : statusView(report, paint).join("\n"));
  return report.ready ? exitCodes.ok : exitCodes.unavailable;
}

export function systemReader(config: Config): () => Promise<SystemReading> {
  const kafka = createKafka(config, "status", createLogger("status", "silent"), 0);
  return () => readSystem(config, kafka, Date.now);
}

/** Reports until the signal, each over the last minute, or since the first reading. */
export async function* watchStatus(
  read: () => Promise<SystemReading>,
  stopping: AbortSignal,
): AsyncGenerator<StatusReport> {
  const readings = [await read()];
  const slept = () => sleep(REFRESH_MS, true, { signal: stopping }).catch(() => false);
  while (await slept()) {
    const latest = await read();
    readings.push(latest);
    // The oldest reading kept is the youngest one that is at least a minute old, and one that tells of every stage.
    while (readings.length > 2 && (latest.at - readings[1].at >= WATCHED_MS || lacksStage(readings[0])))
      readings.shift();
    yield statusReport(readings[0], latest);
  }
}

function lacksStage({ services }: SystemReading): boolean {
  return stageNames.some((name) => services[name].samples.length === 0);
}
