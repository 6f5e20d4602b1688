import type { ServiceContext } from "../shared/lifecycle.js";
import { type Fault, faultsAdded, faultsBetween } from "./faults.js";
import { createSimulation } from "./simulation.js";

/** The longest time that /faults lists at once. */
const FAULT_LIST_MS_MAX = 31 * 86_400_000;

/**
 * Simulates the services in real time. Serves their metrics at /metrics/application on the telemetry's port, and at
 * /faults the faults since the start, or between the query's `from` and `to` (milliseconds since the epoch), as JSON.
 */
export function startSimulator(
  { config, logger, telemetry }: ServiceContext,
  now: () => number = Date.now,
): Promise<() => Promise<void>> {
  const { seed, fault_rate: faultRate } = config.simulator;
  const currentSecond = () => Math.floor(now() / 1000);
  const startSecond = currentSecond();
  const simulation = createSimulation({ seed, faultRate, startSecond });

  let active: readonly Fault[] = [];
  const advance = () => {
    const before = active;
    active = simulation.advanceTo(currentSecond());
    for (const fault of faultsAdded(before, active)) {
      logger.info({ event: "fault.started", ...truthOf(fault) });
    }
    for (const fault of faultsAdded(active, before)) {
      logger.info({ event: "fault.ended", ...truthOf(fault) });
    }
  };

  telemetry.serve("/metrics/application", (_, response) => {
    advance();
    if (active.some(({ kind }) => kind === "missing_scrapes")) {
      response.writeHead(503, { "content-type": "text/plain" }).end("fault: missing_scrapes\n");
      return;
    }
    simulation.registry.metrics().then(
      (text) => response.writeHead(200, { "content-type": simulation.registry.contentType }).end(text),
      (error: unknown) => response.writeHead(500, { "content-type": "text/plain" }).end(String(error)),
    );
  });

  telemetry.serve("/faults", (request, response) => {
    const query = new URL(request.url ?? "/", "http://localhost").searchParams;
    const to = Math.min(Number(query.get("to") ?? Infinity), now());
    const from = Math.max(Number(query.get("from") ?? startSecond * 1000), to - FAULT_LIST_MS_MAX);
    if (Number.isNaN(to - from)) {
      response.writeHead(400, { "content-type": "text/plain" }).end("from and to are milliseconds\n");
      return;
    }
    const faults = faultsBetween(seed, faultRate, Math.floor(from / 1000), Math.floor(to / 1000) + 1);
    const body = { seed, faults_per_hour: faultRate, from_ms: from, to_ms: to, faults: faults.map(truthOf) };
    response.writeHead(200, { "content-type": "application/json" }).end(`${JSON.stringify(body)}\n`);
  });

  advance();
  const ticker = setInterval(advance, 1000);
  return Promise.resolve(() => {
    clearInterval(ticker);
    return Promise.resolve();
  });
}

function truthOf({ kind, service, start, end, strength }: Fault) {
  return { fault: kind, target: service, start_ms: start * 1000, end_ms: end * 1000, strength };
}
