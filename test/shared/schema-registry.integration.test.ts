import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type RequestListener, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import confluent from "@kafkajs/confluent-schema-registry";
import type { Config } from "../../services/shared/config-schema.js";
import { MillraceError } from "../../services/shared/errors.js";
import { featureColumns, featureSchemaText } from "../../services/shared/feature-columns.js";
import {
  createFeatureReader,
  createRawReader,
  encodeCleanFrame,
  encodeFeatureFrame,
  encodeRawFrame,
} from "../../services/shared/frame-codec.js";
import type { CleanFrame, FeatureFrame, RawFrame } from "../../services/shared/frame.js";
import { type Schemas, connectSchemas } from "../../services/shared/schema-registry.js";
import { internEntity, internSeries } from "../../services/shared/series.js";
import { schemaText } from "../../services/shared/topics.js";
import { freePorts, testConfig } from "../stack/servers-for-tests.js";

const rejectsWith =
  (code: string, words = /./) =>
  (error: unknown) => {
    assert.ok(error instanceof MillraceError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, words);
    return true;
  };

let config: Config;
let schemas: Schemas;
before(async () => {
  config = await testConfig();
  schemas = connectSchemas(config);
});

describe("register", () => {
  it("gives a schema one id, whoever registers it however often", async () => {
    const id = await schemas.register("raw", schemaText("metrics.raw.avsc"));
    assert.equal(await schemas.register("raw", schemaText("metrics.raw.avsc")), id);
    assert.equal(await connectSchemas(config).register("raw", schemaText("metrics.raw.avsc")), id);
    assert.notEqual(await schemas.register("clean", schemaText("metrics.clean.avsc")), id);
  });

  it("has every version read every other, as the subject's own setting says", async () => {
    await schemas.register("quality", schemaText("metrics.quality.avsc"));
    const subject = `${config.kafka.topic_prefix}metrics.quality-value`;
    const response = await fetch(`${config.registry.url}/config/${subject}`);
    assert.deepEqual(await response.json(), { compatibilityLevel: "FULL_TRANSITIVE" });
  });

  it("takes features of windows that come and go", async () => {
    const { features } = await versionsOfFeatures();
    assert.equal(new Set(features.map(({ id }) => id)).size, features.length);
  });

  it("refuses a feature of another type, and says what does not fit", async () => {
    await schemas.register("features", featureSchemaText(["mean_5m"]));
    const text = featureSchemaText(["mean_5m"]).replace('"double"', '"string"');
    await assert.rejects(
      schemas.register("features", text),
      rejectsWith("SCHEMA_INCOMPATIBLE", /metrics\.features-value: .*incompatible/i),
    );
  });

  it("refuses a field without a default, which older messages could not be read with", async () => {
    await schemas.register("raw", schemaText("metrics.raw.avsc"));
    const record = JSON.parse(schemaText("metrics.raw.avsc")) as { fields: object[] };
    record.fields.push({ name: "region", type: "string" });
    await assert.rejects(
      schemas.register("raw", JSON.stringify(record)),
      rejectsWith("SCHEMA_INCOMPATIBLE", /metrics\.raw-value/),
    );
  });

  it("refuses what is no schema", async () => {
    await assert.rejects(schemas.register("state", '{"type":"recrod"}'), rejectsWith("SCHEMA_INCOMPATIBLE"));
  });
});

/** The same subject's versions of three configurations, each with a frame that was written with it. */
async function versionsOfFeatures() {
  const withWindows = (rolling_windows: Config["transform"]["feature_engineering"]["rolling_windows"]) => ({
    ...config,
    transform: {
      ...config.transform,
      feature_engineering: { ...config.transform.feature_engineering, rolling_windows },
    },
  });
  const [fiveMinutes, hour] = [
    { name: "5m", ms: 300_000 },
    { name: "1h", ms: 3_600_000 },
  ];
  const features = [];
  for (const windows of [[fiveMinutes], [fiveMinutes, hour], [hour]]) {
    const columns = featureColumns(withWindows(windows));
    const id = await schemas.register("features", featureSchemaText(columns));
    features.push({ id, columns, frame: featureFrame(columns) });
  }
  return { features };
}

const entity = internEntity({ job: "api", instance: "10.0.0.1:9100" });
const series = [
  internSeries("http_requests_total", { method: "GET", path: '/größe"' }, "counter"),
  internSeries("temperature", {}, "gauge"),
];
const rawFrame: RawFrame = {
  entity,
  timestamp: 1_760_000_000_123,
  origin: "backfill",
  source: "prometheus",
  ingestedAt: 1_760_000_000_456,
  series,
  values: Float64Array.of(12.5, -0),
  stale: Uint8Array.of(0, 1),
};
const cleanFrame: CleanFrame = {
  ...rawFrame,
  original: Float64Array.of(12.25, Infinity),
  flags: Int32Array.of(4, 16),
};

/** The first row's features are 0, 1, 2, and so on; the second has none. */
function featureFrame(columns: readonly string[]): FeatureFrame {
  return {
    entity,
    timestamp: 1_760_000_000_123,
    revision: 2 ** 40,
    knownAt: 1_760_000_000_456,
    retracted: false,
    origin: "live",
    series,
    values: Float64Array.of(12.5, -3),
    flags: Int32Array.of(0, 2),
    features: Float64Array.from({ length: 2 * columns.length }, (_, i) => (i < columns.length ? i : NaN)),
  };
}

describe("messages", () => {
  const head = {
    entity: { job: "api", instance: "10.0.0.1:9100" },
    timestamp: 1_760_000_000_123,
    origin: "backfill",
    source: "prometheus",
    ingestedAt: 1_760_000_000_456,
  };
  const [requests, temperature] = [
    { metric: "http_requests_total", labels: { method: "GET", path: '/größe"' }, type: "counter" },
    { metric: "temperature", labels: {}, type: "gauge" },
  ];
  /** As any other program reads them: with nothing of Millrace's but its registry. */
  const decode = async (value: Buffer) => {
    const registry = new confluent.SchemaRegistry({ host: config.registry.url });
    return plain(await registry.decode(value));
  };

  it("of raw samples are read by the registry's own client", async () => {
    const id = await schemas.register("raw", schemaText("metrics.raw.avsc"));
    assert.deepEqual(await decode(encodeRawFrame(id, rawFrame)), {
      ...head,
      samples: [
        { ...requests, value: 12.5, stale: false },
        { ...temperature, value: -0, stale: true },
      ],
    });
  });

  it("of clean samples are read by the registry's own client", async () => {
    const id = await schemas.register("clean", schemaText("metrics.clean.avsc"));
    assert.deepEqual(await decode(encodeCleanFrame(id, cleanFrame)), {
      ...head,
      samples: [
        { ...requests, value: 12.5, original: 12.25, flags: 4, imputation: null },
        { ...temperature, value: -0, original: Infinity, flags: 16, imputation: null },
      ],
    });
  });

  it("of features are read by the registry's own client, each version with its own columns", async () => {
    const { features } = await versionsOfFeatures();
    for (const { id, columns, frame } of features) {
      const named = (value: (column: number) => number | null) =>
        Object.fromEntries(columns.map((column, i) => [column, value(i)]));
      assert.deepEqual(await decode(encodeFeatureFrame(id, columns.length, frame)), {
        entity: head.entity,
        timestamp: frame.timestamp,
        revision: 2 ** 40,
        knownAt: frame.knownAt,
        retracted: false,
        origin: "live",
        rows: [
          { ...requests, value: 12.5, flags: 0, ...named((i) => i) },
          { ...temperature, value: -3, flags: 2, ...named(() => null) },
        ],
      });
    }
  });

  it("of all versions are read by Millrace, by what the registry says of each", async () => {
    const { features } = await versionsOfFeatures();
    const fresh = connectSchemas(config);
    const reader = createFeatureReader(fresh);
    const values = features.map(({ id, columns, frame }) => encodeFeatureFrame(id, columns.length, frame));
    await reader.prepare(values);
    features.forEach(({ columns, frame }, i) =>
      assert.deepEqual(reader.read(values[i]), { ...frame, columns }),
    );

    const raw = encodeRawFrame(await schemas.register("raw", schemaText("metrics.raw.avsc")), rawFrame);
    const rawReader = createRawReader(fresh);
    await rawReader.prepare([raw]);
    assert.deepEqual(rawReader.read(raw), rawFrame);
  });
});

/** Without the classes that avsc gives to records. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
}

describe("writerSchema", () => {
  it("rejects with SCHEMA_UNKNOWN for an id that the registry does not have", async () => {
    await assert.rejects(schemas.writerSchema(987_654_321), rejectsWith("SCHEMA_UNKNOWN", /987654321/));
  });

  it("rejects with SCHEMA_UNKNOWN for a schema that is none of Avro's", async () => {
    const response = await fetch(
      `${config.registry.url}/subjects/${config.kafka.topic_prefix}json-value/versions`,
      {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          schemaType: "JSON",
          schema: '{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}',
        }),
      },
    );
    const { id } = (await response.json()) as { id: number };
    await assert.rejects(schemas.writerSchema(id), rejectsWith("SCHEMA_UNKNOWN", /no Avro schema/));
  });
});

describe("a registry that cannot be used", () => {
  /** Both calls, on a server that answers as it is told. */
  async function callsOf(listener: RequestListener, settings: Partial<Config["registry"]> = {}) {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const broken = connectSchemas({ ...config, registry: { url, ...settings } });
    return {
      calls: [() => broken.register("raw", schemaText("metrics.raw.avsc")), () => broken.writerSchema(1)],
      close: () => {
        server.close();
        server.closeAllConnections();
      },
    };
  }

  it("is REGISTRY_UNAVAILABLE where nothing listens", async () => {
    const [port] = await freePorts(1);
    const away = connectSchemas({ ...config, registry: { url: `http://127.0.0.1:${port}` } });
    await assert.rejects(
      away.register("raw", schemaText("metrics.raw.avsc")),
      rejectsWith("REGISTRY_UNAVAILABLE", new RegExp(`^The schema registry at .*${port}: .*ECONNREFUSED`)),
    );
    await assert.rejects(away.writerSchema(1), rejectsWith("REGISTRY_UNAVAILABLE"));
  });

  for (const [what, listener] of [
    ["answers 500", (_, response) => response.writeHead(500).end('{"error_code":50001,"message":"no"}')],
    ["answers 429", (_, response) => response.writeHead(429).end()],
    ["is behind a proxy that answers 502", (_, response) => response.writeHead(502).end("<html></html>")],
    ["hangs up", (_, response) => response.destroy()],
    [
      "is some other server",
      (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html></html>"),
    ],
  ] satisfies [string, RequestListener][]) {
    it(`is REGISTRY_UNAVAILABLE where it ${what}`, async () => {
      const { calls, close } = await callsOf(listener);
      for (const call of calls) await assert.rejects(call(), rejectsWith("REGISTRY_UNAVAILABLE"));
      close();
    });
  }

  it("is REGISTRY_UNAUTHORIZED where it refuses the credentials, which are those of the configuration", async () => {
    const folder = mkdtempSync(join(tmpdir(), "millrace-registry-"));
    after(() => rmSync(folder, { recursive: true }));
    const password_file = join(folder, "password");
    writeFileSync(password_file, "secret\n");
    const seen = new Set<string | undefined>();
    const { calls, close } = await callsOf(
      ({ headers }, response) => {
        seen.add(headers.authorization);
        response.writeHead(401, { "content-type": "application/json" }).end('{"message":"no"}');
      },
      { username: "millrace", password_file },
    );
    for (const call of calls) await assert.rejects(call(), rejectsWith("REGISTRY_UNAUTHORIZED"));
    close();
    assert.deepEqual([...seen], [`Basic ${Buffer.from("millrace:secret").toString("base64")}`]);
  });
});
