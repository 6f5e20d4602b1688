import { type Dispatcher, request } from "undici";
import type { Kafka } from "kafkajs";
import { readSecret } from "../shared/config.js";
import type { Config } from "../shared/config-schema.js";
import { MillraceError } from "../shared/errors.js";
import { connectPrometheus } from "../poller/prometheus-client.js";
import { withAdmin } from "../shared/kafka.js";
import type { SourceConfig } from "../shared/sources.js";
import { readTopicStates } from "./topics.js";

/** Each resolves to what was found, in words, and rejects with the error that the services would meet. */

const ANSWER_LIMIT_MS = 5_000;

export async function checkPrometheus(settings: SourceConfig): Promise<string> {
  const timeout = Math.min(settings.timeout, ANSWER_LIMIT_MS / 1000);
  const prometheus = connectPrometheus({ ...settings, timeout, retry_attempts: 0 }, { now: Date.now });
  try {
    return `version ${await prometheus.version(new AbortController().signal)} at ${settings.url}`;
  } finally {
    await prometheus.close();
  }
}

export async function checkKafka(kafka: Kafka, config: Config): Promise<string> {
  const brokers = await withAdmin(kafka, (admin) => admin.describeCluster());
  return `${brokers.brokers.length} broker${brokers.brokers.length === 1 ? "" : "s"} at ${config.kafka.brokers.join(", ")}`;
}

export async function checkTopics(kafka: Kafka, config: Config): Promise<string> {
  const states = await withAdmin(kafka, (admin) => readTopicStates(admin, config));
  const missing = states.filter(({ exists }) => !exists).map(({ name }) => name);
  if (missing.length > 0) throw new MillraceError("KAFKA_TOPIC_MISSING", `Missing: ${missing.join(", ")}.`);
  return `all ${states.length} exist`;
}

export async function checkRegistry(config: Config): Promise<string> {
  const { url, username, password_file } = config.registry;
  const headers: Record<string, string> =
    username === undefined || password_file === undefined
      ? {}
      : {
          authorization: `Basic ${Buffer.from(`${username}:${readSecret(password_file)}`).toString("base64")}`,
        };
  const unavailable = (what: string, cause?: unknown) =>
    new MillraceError("REGISTRY_UNAVAILABLE", `The schema registry at ${url} ${what}.`, { cause });
  const { statusCode, text } = await ask(`${url}/subjects`, { headers }).catch((error: unknown) => {
    throw unavailable("does not answer", error);
  });
  if (statusCode === 401 || statusCode === 403)
    throw new MillraceError("REGISTRY_UNAUTHORIZED", `${url} refused the credentials.`);
  if (statusCode !== 200) throw unavailable(`answered ${statusCode} to /subjects`);
  const subjects = subjectCount(text);
  if (subjects === null) throw unavailable("answered something else than subjects");
  return `${subjects} subjects at ${url}`;
}

function subjectCount(text: string): number | null {
  try {
    const subjects: unknown = JSON.parse(text);
    return Array.isArray(subjects) ? subjects.length : null;
  } catch {
    return null;
  }
}

/** Writes nothing: the body is a comment in line protocol, so that only token, organisation and bucket are judged. */
export async function checkInflux(config: Config): Promise<string> {
  const { url, org, bucket, token_file } = config.load.influxdb;
  const token = readSecret(token_file);
  const query = new URLSearchParams({ org, bucket, precision: "ms" });
  const { statusCode, text } = await ask(`${url.replace(/\/$/, "")}/api/v2/write?${query.toString()}`, {
    method: "POST",
    headers: { authorization: `Token ${token}`, "content-type": "text/plain; charset=utf-8" },
    body: "# millrace check\n",
  }).catch((error: unknown) => {
    throw new MillraceError("INFLUX_UNAVAILABLE", `InfluxDB at ${url} does not answer.`, { cause: error });
  });
  const said = influxMessage(text);
  if (statusCode === 401 || statusCode === 403)
    throw new MillraceError("INFLUX_UNAUTHORIZED", `InfluxDB at ${url} refused the token: ${said}.`);
  if (statusCode === 404) throw new MillraceError("INFLUX_BUCKET_MISSING", `InfluxDB at ${url}: ${said}.`);
  if (statusCode !== 204)
    throw new MillraceError("INFLUX_UNAVAILABLE", `InfluxDB at ${url} answered ${statusCode}: ${said}.`);
  return `the token may write to ${bucket} of ${org} at ${url}`;
}

function influxMessage(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    return text.slice(0, 200);
  }
}

async function ask(
  url: string,
  options: { method?: Dispatcher.HttpMethod; headers: Record<string, string>; body?: string },
): Promise<{ statusCode: number; text: string }> {
  const { statusCode, body } = await request(url, {
    ...options,
    signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
  });
  return { statusCode, text: await body.text() };
}
