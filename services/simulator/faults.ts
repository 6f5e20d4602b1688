import { type SimulatedService, serviceNames } from "./graph.js";
import { poisson, randomStream, uniform } from "./random.js";

export const serviceFaults = ["latency", "errors", "crash"] as const;
export const faultKinds = [...serviceFaults, "missing_scrapes"] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Whom a fault hits; missing scrapes hit all, since one scrape reads all services. */
export type FaultTarget = SimulatedService | "all";

export interface Fault {
  readonly kind: FaultKind;
  readonly service: FaultTarget;
  /** Seconds since the epoch; whole. */
  readonly start: number;
  /** The first second without the fault. */
  readonly end: number;
  /** latency: factor of the service's own time. errors: share of failed requests. Otherwise 1. */
  readonly strength: number;
}

const BLOCK_SECONDS = 3600;
const DURATION_SECONDS_MIN = 20;
const DURATION_SECONDS_MAX = 180;

/**
 * The faults whose time overlaps [from, to), in seconds, in order of their start: a function of the seed, so that the
 * truth of any time can be listed, and a restart changes nothing. Starts are a Poisson process of `perHour`; durations
 * are log-uniform, about a minute.
 */
export function faultsBetween(seed: number, perHour: number, from: number, to: number): Fault[] {
  const found: Fault[] = [];
  const blockFirst = Math.floor((from - DURATION_SECONDS_MAX) / BLOCK_SECONDS);
  for (let block = blockFirst; block * BLOCK_SECONDS < to; block += 1) {
    for (const fault of faultsOfBlock(seed, perHour, block)) {
      if (fault.start < to && fault.end > from) found.push(fault);
    }
  }
  return found.sort((a, b) => a.start - b.start);
}

export function faultsAt(seed: number, perHour: number, second: number): Fault[] {
  return faultsBetween(seed, perHour, second, second + 1);
}

/** Those of `after` that are not in `before`. */
export function faultsAdded(before: readonly Fault[], after: readonly Fault[]): Fault[] {
  return after.filter(
    ({ kind, service, start }) =>
      !before.some((fault) => fault.kind === kind && fault.service === service && fault.start === start),
  );
}

function faultsOfBlock(seed: number, perHour: number, block: number): Fault[] {
  const random = randomStream(seed, "faults", block);
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)];
  return Array.from({ length: poisson(random, perHour) }, () => {
    const kind = pick(faultKinds);
    const service = kind === "missing_scrapes" ? "all" : pick(serviceNames);
    const start = Math.floor((block + random()) * BLOCK_SECONDS);
    const duration = DURATION_SECONDS_MIN * (DURATION_SECONDS_MAX / DURATION_SECONDS_MIN) ** random();
    const strength =
      kind === "latency" ? uniform(random, 8, 30) : kind === "errors" ? uniform(random, 0.2, 0.8) : 1;
    return { kind, service, start, end: start + Math.round(duration), strength };
  });
}
