import type { Config } from "../shared/config-schema.js";
import { readSecret } from "../shared/config.js";
import { MillraceError } from "../shared/errors.js";

type InfluxdbConfig = Pick<Config["load"]["influxdb"], "url" | "org" | "bucket" | "token_file">;

/**
 * Creates the bucket where it is missing; resolves to whether it did. Rejects with INFLUX_UNAUTHORIZED where the token may
 * not see or make buckets, with INFLUX_BUCKET_MISSING where the organisation is missing, with INFLUX_UNAVAILABLE.
 */
export async function createBucket(influxdb: InfluxdbConfig, retentionMs: number): Promise<boolean> {
  const { org, bucket } = influxdb;
  const { status, answer } = await ask(influxdb, `orgs?org=${encodeURIComponent(org)}`);
  const orgID = (answer as { orgs?: { id: string }[] }).orgs?.at(0)?.id;
  if (status === 404 || orgID === undefined)
    throw new MillraceError("INFLUX_BUCKET_MISSING", `InfluxDB has no organisation ${org}.`);
  const everySeconds = Math.round(retentionMs / 1000);
  const retentionRules = everySeconds === 0 ? [] : [{ type: "expire", everySeconds }];
  const created = await ask(influxdb, "buckets", { orgID, name: bucket, retentionRules });
  if (created.status === ALREADY_EXISTS) return false;
  if (created.status === 201) return true;
  throw new MillraceError(
    "INFLUX_UNAVAILABLE",
    `InfluxDB answered ${created.status} to a new bucket: ${JSON.stringify(created.answer)}.`,
  );
}

/** What InfluxDB answers where a bucket of that name exists. */
const ALREADY_EXISTS = 422;

async function ask(
  { url, token_file }: InfluxdbConfig,
  path: string,
  body?: object,
): Promise<{ status: number; answer: unknown }> {
  const request = {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Token ${readSecret(token_file)}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(10_000),
  };
  let status: number;
  let answer: unknown;
  try {
    const response = await fetch(`${url.replace(/\/$/, "")}/api/v2/${path}`, request);
    status = response.status;
    answer = await response.json();
  } catch (error) {
    throw new MillraceError("INFLUX_UNAVAILABLE", `InfluxDB at ${url} does not answer.`, { cause: error });
  }
  if (status === 401 || status === 403) {
    throw new MillraceError(
      "INFLUX_UNAUTHORIZED",
      `InfluxDB answered ${status} to ${path.split("?")[0]}: ${JSON.stringify(answer)}.`,
    );
  }
  return { status, answer };
}
