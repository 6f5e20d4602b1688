/** The simulated services, and who calls whom: users call the gateway. */

export const serviceNames = ["gateway", "auth", "api", "payments", "cache", "db"] as const;
export type SimulatedService = (typeof serviceNames)[number];

export interface Call {
  readonly service: SimulatedService;
  /** Share of the requests that make the call. */
  readonly share: number;
  /** How long the caller waits, in seconds. */
  readonly timeout: number;
  /** The request survives the failure of this call, but then makes all calls after it. */
  readonly tolerated?: true;
}

export interface ServiceDefinition {
  /** Median of the time that the service itself spends on a request, in seconds, without load. */
  readonly ownTime: number;
  /** An answer within this time, in seconds, satisfies; see health.ts. */
  readonly targetTime: number;
  /** Requests that it works on at a time; more wait. */
  readonly workers: number;
  /** Share of requests that fail without any fault injected. */
  readonly errorShare: number;
  /** Share of requests for what does not exist. */
  readonly notFoundShare: number;
  /** Median size of a response. */
  readonly responseBytes: number;
  readonly cpuPercentIdle: number;
  readonly cpuPercentPerRequest: number;
  readonly memoryPercent: number;
  /** Made one after the other. */
  readonly calls: readonly Call[];
}

export const graph: Readonly<Record<SimulatedService, ServiceDefinition>> = {
  gateway: {
    ownTime: 0.003,
    targetTime: 0.2,
    workers: 8,
    errorShare: 0.0005,
    notFoundShare: 0.005,
    responseBytes: 4_000,
    cpuPercentIdle: 4,
    cpuPercentPerRequest: 0.6,
    memoryPercent: 35,
    calls: [
      { service: "auth", share: 0.6, timeout: 1 },
      { service: "api", share: 1, timeout: 2 },
    ],
  },
  auth: {
    ownTime: 0.006,
    targetTime: 0.04,
    workers: 2,
    errorShare: 0.0005,
    notFoundShare: 0,
    responseBytes: 500,
    cpuPercentIdle: 3,
    cpuPercentPerRequest: 1.2,
    memoryPercent: 28,
    calls: [{ service: "db", share: 0.3, timeout: 0.5 }],
  },
  api: {
    ownTime: 0.015,
    targetTime: 0.15,
    workers: 4,
    errorShare: 0.001,
    notFoundShare: 0.02,
    responseBytes: 3_500,
    cpuPercentIdle: 5,
    cpuPercentPerRequest: 1.5,
    memoryPercent: 52,
    calls: [
      { service: "payments", share: 0.1, timeout: 1.5 },
      { service: "cache", share: 1, timeout: 0.1, tolerated: true },
      { service: "db", share: 0.35, timeout: 0.5 },
    ],
  },
  payments: {
    ownTime: 0.04,
    targetTime: 0.2,
    workers: 2,
    errorShare: 0.002,
    notFoundShare: 0,
    responseBytes: 800,
    cpuPercentIdle: 2,
    cpuPercentPerRequest: 3,
    memoryPercent: 30,
    calls: [{ service: "db", share: 1, timeout: 0.5 }],
  },
  cache: {
    ownTime: 0.0008,
    targetTime: 0.005,
    workers: 1,
    errorShare: 0.0001,
    notFoundShare: 0,
    responseBytes: 2_500,
    cpuPercentIdle: 2,
    cpuPercentPerRequest: 0.4,
    memoryPercent: 70,
    calls: [],
  },
  db: {
    ownTime: 0.004,
    targetTime: 0.03,
    workers: 1,
    errorShare: 0.0002,
    notFoundShare: 0,
    responseBytes: 1_500,
    cpuPercentIdle: 6,
    cpuPercentPerRequest: 1.8,
    memoryPercent: 60,
    calls: [],
  },
};
