import type { Registry } from "prom-client";
import { createExposition } from "./exposition.js";
import { type Fault, faultsAt } from "./faults.js";
import { trafficOf } from "./traffic.js";

export interface SimulationOptions {
  readonly seed: number;
  /** Faults an hour, on average. */
  readonly faultRate: number;
  /** The first simulated second, since the epoch. */
  readonly startSecond: number;
}

export interface Simulation {
  readonly registry: Registry;
  /** Simulates all seconds up to and with this one, each once; returns the faults of the last one. */
  readonly advanceTo: (second: number) => readonly Fault[];
}

/** After a suspension of the machine no more than this is made up for: the services were suspended, too. */
const CATCH_UP_SECONDS_MAX = 300;

export function createSimulation({ seed, faultRate, startSecond }: SimulationOptions): Simulation {
  const { registry, record } = createExposition(seed);
  let next = startSecond;
  let faults: readonly Fault[] = [];
  return {
    registry,
    advanceTo: (second) => {
      next = Math.max(next, second - CATCH_UP_SECONDS_MAX);
      for (; next <= second; next += 1) {
        faults = faultsAt(seed, faultRate, next);
        record(next, trafficOf(seed, next, faults), faults);
      }
      return faults;
    },
  };
}
