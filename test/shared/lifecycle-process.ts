import { setTimeout as sleep } from "node:timers/promises";
import { etlSchema } from "../../services/shared/config-schema.js";
import { MillraceError } from "../../services/shared/errors.js";
import { type ServiceContext, runService } from "../../services/shared/lifecycle.js";

/**
 * Services that behave as their name says, each to be run as a process: `node lifecycle-process.js NAME PORT`.
 * What they did is on standard output; logs are on standard error.
 */
const never = () => new Promise<never>(() => undefined);
const say = (what: string) => void process.stdout.write(`${what}\n`);
const stop = () => {
  say("stopped");
  return Promise.resolve();
};

const services: Record<string, (context: ServiceContext) => Promise<() => Promise<void>>> = {
  obedient: () => Promise.resolve(stop),
  "finishing its work": ({ telemetry }) => {
    const finished = new Promise<void>((resolve) =>
      telemetry.serve("/finish", (_, response) => response.end(() => resolve())),
    );
    return Promise.resolve(async () => {
      await finished;
      say("work done");
    });
  },
  "waiting in its start": async ({ stopping }) => {
    await sleep(3_600_000, undefined, { signal: stopping });
    return stop;
  },
  "deaf in its start": never,
  "deaf in its stop": () => Promise.resolve(never),
  "failing in its start": () =>
    Promise.reject(new MillraceError("INFLUX_UNAUTHORIZED", "InfluxDB refused the token.")),
  "failing later": ({ fail }) => {
    setImmediate(() => fail(new MillraceError("KAFKA_UNAVAILABLE", "Kafka is away.")));
    setImmediate(() => fail(new Error("a consequence")));
    return Promise.resolve(stop);
  },
  "failing in its stop": () => Promise.resolve(() => Promise.reject(new Error("a defect"))),
  "rejecting unheard": () => {
    setImmediate(() => void Promise.reject(new TypeError("a defect")));
    return Promise.resolve(stop);
  },
  "throwing from a timer": () => {
    setImmediate(() => {
      throw new TypeError("a defect");
    });
    return Promise.resolve(stop);
  },
};

const [name, port] = process.argv.slice(2);
const config = etlSchema.parse({ telemetry: { ports: { simulator: Number(port) } } });
process.exitCode = await runService("simulator", config, services[name]);
