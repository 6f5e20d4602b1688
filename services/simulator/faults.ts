import { type SimulatedService, serviceNames } from "./graph.js";
import { poisson, randomStream, uniform } from "../kernels/random.js";

export type FaultKind = "latency" | "errors" | "crash" | "missing_scrapes";

export interface Injection {
  readonly kind: FaultKind;
  /** Whom it hits; missing scrapes hit all, since one scrape reads all services. */
  readonly service: SimulatedService | "all";
}

/** All that may be injected, each as often as the other. */
export const injections: readonly Injection[] = [
  ...serviceNames.flatMap((service) =>
    (["latency", "errors", "crash"] as const).map((kind) => ({ kind, service })),
  ),
  { kind: "missing_scrapes", service: "all" },
];

export interface Fault extends Injection {
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
 * are log-uniform, about a minute. Faults may overlap.
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
  return Array.from({ length: poisson(random, perHour) }, () => {
    const { kind, service } = injections[Math.floor(random() * injections.length)];
    const start = Math.floor((block + random()) * BLOCK_SECONDS);
    const duration = DURATION_SECONDS_MIN * (DURATION_SECONDS_MAX / DURATION_SECONDS_MIN) ** random();
    const strength =
      kind === "latency" ? uniform(random, 8, 30) : kind === "errors" ? uniform(random, 0.2, 0.8) : 1;
    return { kind, service, start, end: start + Math.round(duration), strength };
  });
}
