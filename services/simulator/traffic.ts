import type { Fault } from "./faults.js";
import { type SimulatedService, graph, serviceNames } from "./graph.js";
import { PEAK_RATE, requestRate } from "./load.js";
import { type Random, logNormal, poisson, randomStream } from "../kernels/random.js";

export const methods = ["GET", "POST"] as const;
export type Method = (typeof methods)[number];

/** 500: the service's own error; 502: a callee failed; 503: a callee is down; 504: a callee took too long. */
export const codes = [200, 404, 500, 502, 503, 504] as const;
export type Code = (typeof codes)[number];

/** One request that a service answered. */
export interface Answer {
  readonly method: Method;
  readonly code: Code;
  /** From arrival to answer, callees included. */
  readonly seconds: number;
  readonly bytes: number;
}

/** What each service answered in one second; null where it was down. */
export type Traffic = Record<SimulatedService, Answer[] | null>;

const POST_SHARE = 0.25;
const OWN_TIME_SIGMA = 0.5;
/** How long it takes to see that nobody listens. */
const REFUSED_SECONDS = 0.001;
const ERROR_BYTES = 200;

/**
 * All requests of one second, through the whole graph: a function of the seed, the second and the active faults. Users'
 * requests are Poisson; a caller's time contains its callees', and their failures become its own.
 */
export function trafficOf(seed: number, second: number, faults: readonly Fault[]): Traffic {
  const random = randomStream(seed, "traffic", second);
  const rate = requestRate(seed, second);
  // Waiting grows with utilisation as in a queue; at the highest load the services are half busy.
  const busyFactor = 1 / (1 - 0.5 * (rate / PEAK_RATE));
  const traffic = Object.fromEntries(
    serviceNames.map((service) => [service, strengthOf(faults, "crash", service) === 0 ? [] : null]),
  ) as Traffic;

  /** Null: connection refused. */
  const request = (service: SimulatedService, method: Method): Answer | null => {
    const answers = traffic[service];
    if (answers === null) return null;
    const definition = graph[service];
    const slowness = Math.max(1, strengthOf(faults, "latency", service)) * busyFactor;
    let seconds = logNormal(random, definition.ownTime * slowness, OWN_TIME_SIGMA);
    let code: Code = ownCode(random, service, strengthOf(faults, "errors", service));
    let callAll = false;
    for (const call of definition.calls) {
      if (code !== 200) break;
      if (!(callAll || random() < call.share)) continue;
      const answer = request(call.service, method);
      seconds += Math.min(answer?.seconds ?? REFUSED_SECONDS, call.timeout);
      const seen = seenByCaller(answer, call.timeout);
      if (call.tolerated) callAll = seen !== 200;
      else code = seen;
    }
    const bytes = Math.round(code === 200 ? logNormal(random, definition.responseBytes, 0.4) : ERROR_BYTES);
    const answer = { method, code, seconds, bytes };
    answers.push(answer);
    return answer;
  };

  for (let left = poisson(random, rate); left > 0; left -= 1) {
    request("gateway", random() < POST_SHARE ? "POST" : "GET");
  }
  return traffic;
}

/** 0 where there is no such fault. */
function strengthOf(faults: readonly Fault[], kind: Fault["kind"], service: SimulatedService): number {
  return Math.max(
    0,
    ...faults.filter((f) => f.kind === kind && f.service === service).map((f) => f.strength),
  );
}

function ownCode(random: Random, service: SimulatedService, faultErrorShare: number): Code {
  const { errorShare, notFoundShare } = graph[service];
  const failing = Math.max(errorShare, faultErrorShare);
  const draw = random();
  return draw < failing ? 500 : draw < failing + notFoundShare ? 404 : 200;
}

function seenByCaller(answer: Answer | null, timeout: number): Code {
  if (answer === null) return 503;
  if (answer.seconds > timeout) return 504;
  return answer.code < 500 ? answer.code : 502;
}
