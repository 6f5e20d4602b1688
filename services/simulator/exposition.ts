import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { type Fault, faultsAdded, injections } from "./faults.js";
import { type SimulatedService, graph, serviceNames } from "./graph.js";
import { type Health, createHealth } from "./health.js";
import { smoothNoise } from "./load.js";
import { poisson, randomStream } from "../kernels/random.js";
import { type Answer, type Traffic, codes, methods } from "./traffic.js";

/** From half a millisecond, a quick answer of the cache, to what even the most patient caller gives up on. */
const RESPONSE_TIME_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export interface Exposition {
  readonly registry: Registry;
  /** Counts what happened in one second. Seconds must come in order, each once. */
  readonly record: (second: number, traffic: Traffic, faults: readonly Fault[]) => void;
}

/** The metrics that the simulated services show, and the truth about the faults. */
export function createExposition(seed: number): Exposition {
  const registry = new Registry();
  const registers = [registry];
  const service = ["service"] as const;

  const requests = new Counter({
    name: "application_requests_total",
    help: "Requests answered.",
    labelNames: ["service", "method", "code"] as const,
    registers,
  });
  const responseTime = new Histogram({
    name: "application_response_time_seconds",
    help: "Time from a request's arrival to its answer, called services included.",
    labelNames: service,
    buckets: RESPONSE_TIME_BUCKETS,
    registers,
  });
  const responseBytes = new Counter({
    name: "application_response_size_bytes_total",
    help: "Bytes of all answers.",
    labelNames: service,
    registers,
  });
  const health = new Gauge({
    name: "service_health_score",
    help: "Apdex of the last 30 seconds: 1 all users satisfied, 0 none.",
    labelNames: service,
    registers,
  });
  const queueLength = new Gauge({
    name: "application_queue_length",
    help: "Requests that wait for a worker.",
    labelNames: service,
    registers,
  });
  const cpu = new Gauge({
    name: "application_cpu_usage_percent",
    help: "Share of the processor in use, 0 to 100.",
    labelNames: service,
    registers,
  });
  const memory = new Gauge({
    name: "application_memory_usage_percent",
    help: "Share of the memory in use, 0 to 100.",
    labelNames: service,
    registers,
  });
  const faultActive = new Gauge({
    name: "fault_injection_active",
    help: "1 while a fault is injected into the service: the truth that detectors are judged by.",
    labelNames: ["service", "fault"] as const,
    registers,
  });
  const faultTotal = new Counter({
    name: "fault_injection_total",
    help: "Faults injected since the simulator started, those that made scrapes fail too.",
    labelNames: ["service", "fault"] as const,
    registers,
  });

  for (const { service: target, kind } of injections) faultTotal.inc({ service: target, fault: kind }, 0);

  /** What a service's process remembers: lost in a crash. */
  const processes = new Map<SimulatedService, { startSecond: number; health: Health }>();
  let faultsBefore: readonly Fault[] = [];

  const start = (name: SimulatedService, second: number) => {
    for (const method of methods) {
      for (const code of codes) requests.inc({ service: name, method, code }, 0);
    }
    responseTime.zero({ service: name });
    responseBytes.inc({ service: name }, 0);
    const process = { startSecond: second, health: createHealth(graph[name].targetTime) };
    processes.set(name, process);
    return process;
  };

  const crash = (name: SimulatedService) => {
    for (const method of methods) {
      for (const code of codes) requests.remove({ service: name, method, code });
    }
    for (const metric of [responseTime, responseBytes, health, queueLength, cpu, memory]) {
      metric.remove({ service: name });
    }
    processes.delete(name);
  };

  const recordService = (name: SimulatedService, second: number, answers: readonly Answer[]) => {
    const process = processes.get(name) ?? start(name, second);
    for (const { method, code, seconds, bytes } of answers) {
      requests.inc({ service: name, method, code });
      responseTime.observe({ service: name }, seconds);
      responseBytes.inc({ service: name }, bytes);
    }
    health.set({ service: name }, process.health.score(answers));
    queueLength.set({ service: name }, queueOf(seed, name, second, answers));
    cpu.set({ service: name }, cpuOf(seed, name, second, answers));
    memory.set({ service: name }, memoryOf(seed, name, second, second - process.startSecond));
  };

  return {
    registry,
    record: (second, traffic, faults) => {
      for (const name of serviceNames) {
        const answers = traffic[name];
        if (answers === null) crash(name);
        else recordService(name, second, answers);
      }
      for (const { service: target, kind } of injections) {
        const isActive = faults.some((fault) => fault.kind === kind && fault.service === target);
        faultActive.set({ service: target, fault: kind }, isActive ? 1 : 0);
      }
      for (const { service: target, kind } of faultsAdded(faultsBefore, faults)) {
        faultTotal.inc({ service: target, fault: kind });
      }
      faultsBefore = faults;
    },
  };
}

/**
 * Little's law gives the requests in work: the sum of their times within one second. The queue before them is that of
 * M/M/1, Poisson about its mean, so it grows steeply as the workers fill up.
 */
function queueOf(seed: number, name: SimulatedService, second: number, answers: readonly Answer[]): number {
  const inWork = answers.reduce((sum, { seconds }) => sum + seconds, 0);
  const utilisation = Math.min(inWork / graph[name].workers, 0.98);
  return poisson(randomStream(seed, `queue ${name}`, second), utilisation ** 2 / (1 - utilisation));
}

function cpuOf(seed: number, name: SimulatedService, second: number, answers: readonly Answer[]): number {
  const { cpuPercentIdle, cpuPercentPerRequest } = graph[name];
  const noise = 1 + 0.1 * smoothNoise(seed, `cpu ${name}`, second, 10);
  return Math.min(100, (cpuPercentIdle + cpuPercentPerRequest * answers.length) * noise);
}

/** A process begins small and fills its caches within minutes. */
function memoryOf(seed: number, name: SimulatedService, second: number, uptimeSeconds: number): number {
  const filled = 1 - 0.5 * Math.exp(-uptimeSeconds / 120);
  return graph[name].memoryPercent * filled * (1 + 0.04 * smoothNoise(seed, `memory ${name}`, second, 60));
}
