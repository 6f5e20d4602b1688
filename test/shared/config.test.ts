import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { parse as parseYaml, stringify } from "yaml";
import {
  defaultConfigFile,
  defaultPipelinesFile,
  loadConfig,
  loadPipelines,
  parseConfig,
  parsePipelines,
  placeIn,
  readSecret,
  secretFileProblems,
} from "../../services/shared/config.js";
import { etlSchema, parseDurationMs, pipelineSchema } from "../../services/shared/config-schema.js";
import { type SchemaNode, asNode, isRecord, schemaTree } from "../../services/shared/config-words.js";
import { MillraceError } from "../../services/shared/errors.js";

const invalid = (message: RegExp) => ({ name: "MillraceError", code: "CONFIG_INVALID", message });

describe("the place of a value", () => {
  const file = ["transform", "imputation", "model_path"];
  const yaml = "transform:\n  imputation: { method: onnx, model_path: a.onnx, model_columns: [a] }";

  it("is told after the configuration was read, too", () => {
    const text = placeIn(parseConfig(yaml, "my.yaml"), file);
    assert.equal(text, "my.yaml:2:43 transform.imputation.model_path");
  });

  it("is the variable of the environment that set it", () => {
    const config = parseConfig(yaml, "my.yaml", { MILLRACE_TRANSFORM__IMPUTATION__MODEL_PATH: "b.onnx" });
    assert.equal(
      placeIn(config, file),
      "MILLRACE_TRANSFORM__IMPUTATION__MODEL_PATH transform.imputation.model_path",
    );
    assert.equal(placeIn({ ...config }, file), "transform.imputation.model_path");
  });
});

describe("the files in config/", () => {
  const cases = [
    { file: defaultConfigFile, schema: etlSchema, parse: parseConfig },
    { file: defaultPipelinesFile, schema: pipelineSchema, parse: parsePipelines },
  ];
  for (const { file, schema, parse } of cases) {
    const text = readFileSync(file, "utf8");

    it(`${file} holds the schema's defaults`, () => {
      assert.deepEqual(parse(text, file), parse("", "empty.yaml"));
    });

    it(`${file} shows every key, those without a default in a comment`, () => {
      for (const [path, node] of keys(schemaTree(schema), [])) {
        const holder = path
          .slice(0, -1)
          .reduce<unknown>((value, key) => asNode(value)?.[key], parseYaml(text));
        if (holder === undefined || node.default === undefined) continue;
        assert.ok(
          asNode(holder) && Object.hasOwn(asNode(holder)!, path.at(-1)!),
          `${path.join(".")} is not shown`,
        );
      }
      for (const [path] of keys(schemaTree(schema), [])) {
        assert.match(text, new RegExp(`^[ #]*"?${path.at(-1)!}"?:`, "m"), `${path.join(".")} is not shown`);
      }
    });
  }

  it("hold the names and defaults that the plan lists", () => {
    const { extract, transform, load } = loadConfig(defaultConfigFile);
    assert.equal(extract.prometheus.timeout, 30);
    assert.equal(extract.prometheus.retry_attempts, 3);
    assert.equal(extract.prometheus.rate_limit, 100);
    assert.equal(transform.cleaning.outlier_detection, "iqr");
    assert.equal(transform.cleaning.missing_value_threshold, 0.8);
    assert.equal(transform.cleaning.validation_rules, "strict");
    assert.equal(transform.imputation.method, "linear_interpolation");
    assert.equal(transform.imputation.max_gap_minutes, 60);
    assert.deepEqual(transform.feature_engineering.rolling_windows, [
      { name: "5m", ms: 300_000 },
      { name: "15m", ms: 900_000 },
      { name: "60m", ms: 3_600_000 },
    ]);
    assert.deepEqual(transform.feature_engineering.aggregation_functions, ["mean", "std", "percentile"]);
    assert.equal(load.influxdb.org, "monitoring");
    assert.equal(load.influxdb.bucket, "health_metrics");
    assert.equal(load.influxdb.batch_size, 5000);
    assert.deepEqual(load.influxdb.retention_policies, {
      hot: 30 * 86_400_000,
      warm: 365 * 86_400_000,
      cold: 5 * 365 * 86_400_000,
    });
    const stages = ["extract", "transform", "load"];
    assert.deepEqual(loadPipelines().pipelines, {
      real_time: { schedule: "*/5 * * * *", stages, timeout: 300 },
      batch: { schedule: "0 2 * * *", stages, timeout: 3600 },
      backfill: { schedule: "manual", stages, timeout: 7200 },
    });
  });
});

describe("loadConfig", () => {
  it("names a file that is not there, and why", () => {
    assert.throws(() => loadConfig("no/such/file.yaml"), {
      code: "CONFIG_UNREADABLE",
      message: "no/such/file.yaml cannot be read (ENOENT).",
    });
    assert.throws(() => loadPipelines("config"), { code: "CONFIG_UNREADABLE", message: /EISDIR|larger/ });
  });

  it("tells problems of the file and of the environment together, the file's in the order of their lines", () => {
    const text = "telemetry: { log_level: loud }\nkafka: { partitions: 0 }\nextract: { x: 1 }\n";
    assert.throws(
      () => parseConfig(text, "f.yaml", { MILLRACE_FOO: "1", MILLRACE_LOAD__INFLUXDB__TIMEOUT: "-1" }),
      (error) => {
        const lines = (error as MillraceError).message.split("\n").map((line) => line.replace(/: .*/, ""));
        assert.deepEqual(lines, [
          "f.yaml:1:25 telemetry.log_level",
          "f.yaml:2:22 kafka.partitions",
          "f.yaml:3:12 extract.x",
          "MILLRACE_LOAD__INFLUXDB__TIMEOUT load.influxdb.timeout",
          "MILLRACE_FOO",
        ]);
        return true;
      },
    );
  });
});

describe("parseDurationMs", () => {
  it("knows the units, and nothing else", () => {
    const cases: [string, number | null][] = [
      ["1500ms", 1500],
      ["90s", 90_000],
      ["1.1m", 66_000],
      ["1.5h", 5_400_000],
      ["30d", 2_592_000_000],
      ["2w", 1_209_600_000],
      ["5y", 157_680_000_000],
      ["0s", 0],
      ["0.5ms", 0.5],
      ["5", null],
      ["5 m", null],
      ["-5m", null],
      ["5M", null],
      ["1h30m", null],
      ["1e3s", null],
      [".5s", null],
      ["", null],
    ];
    for (const [text, ms] of cases) assert.equal(parseDurationMs(text), ms, text);
  });
});

describe("secrets", () => {
  let folder = "";
  before(() => (folder = mkdtempSync(join(tmpdir(), "millrace-secrets-"))));
  after(() => rmSync(folder, { recursive: true }));
  const file = (name: string, content: string, mode = 0o600) => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode });
    chmodSync(path, mode);
    return path;
  };

  it("are read without the line break at their end", () => {
    assert.equal(readSecret(file("token", "s3cret==\n")), "s3cret==");
    assert.equal(readSecret(file("windows", "s3cret\r\n")), "s3cret");
  });

  it("are refused where there is none, or more than one line", () => {
    assert.throws(() => readSecret(join(folder, "none")), { code: "CONFIG_UNREADABLE" });
    assert.throws(() => readSecret(file("empty", "\n")), invalid(/is empty/));
    assert.throws(
      () => readSecret(file("two", "s3cret\nother\n")),
      (error) => {
        assert.match((error as Error).message, /more than one line/);
        assert.doesNotMatch((error as Error).message, /s3cret/);
        return true;
      },
    );
  });

  it("are checked in all places that the configuration names", () => {
    const config = parseConfig(
      stringify({
        load: { influxdb: { token_file: file("influx", "t") } },
        kafka: {
          sasl: { username: "u", password_file: file("open", "p", 0o644) },
          tls: { ca_file: "/no/such/ca", cert_file: "c", key_file: file("key", "-\n-\n", 0o604) },
        },
        registry: { username: "r", password_file: join(folder, "missing") },
      }),
      "f.yaml",
    );
    const told = (mode: number) => {
      chmodSync(folder, mode);
      return secretFileProblems(config);
    };
    assert.deepEqual(
      told(0o700).map(({ path }) => path),
      ["registry.password_file"],
      "nobody else may enter the folder",
    );
    const problems = told(0o755);
    assert.deepEqual(
      problems.map(({ path }) => path),
      ["kafka.tls.key_file", "kafka.sasl.password_file", "registry.password_file"],
    );
    assert.match(problems[0].message, /chmod 600/);
    assert.match(problems[1].message, /chmod 600/);
    assert.match(problems[2].message, /ENOENT/);
  });

  it("in a URL never come back in the message", () => {
    for (const url of [
      "http://admin:hunter2@host",
      "ftp://admin:hunter2@host",
      "http://hunter2@",
      "admin:hunter2@host",
    ]) {
      assert.throws(
        () => parseConfig(stringify({ registry: { url } }), "f.yaml"),
        (error) => {
          assert.equal((error as MillraceError).code, "CONFIG_INVALID");
          assert.doesNotMatch((error as MillraceError).message, /hunter2/);
          return true;
        },
      );
    }
  });
});

describe("any change to a good configuration", () => {
  const good = ["everything-changed", "anchors", "tls-and-sasl", "selectors"].map((name) =>
    readFileSync(`test/shared/fixtures/config/good/${name}.yaml`, "utf8"),
  );
  good.push(readFileSync(defaultConfigFile, "utf8"));

  /** Parses, or tells problems that all have a line; never another error, never half a configuration. */
  const isTold = (text: string) => {
    try {
      parseConfig(text, "changed.yaml");
    } catch (error) {
      assert.ok(error instanceof MillraceError, error instanceof Error ? error.stack : String(error));
      assert.equal(error.code, "CONFIG_INVALID");
      const lines = error.message.split("\n");
      if (lines.length > 100)
        assert.equal(lines.pop(), "changed.yaml: there are more problems than these 100.");
      for (const line of lines) assert.match(line, /^changed\.yaml:[1-9]\d*:[1-9]\d*[ :]/);
    }
  };

  it("of values and keys is read or told", () => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom("", "5m", "1h", "__proto__", "constructor", "http://u:p@h", "-1s", "~", 1e21, -0, 0.1),
      fc.double(),
      fc.integer(),
    );
    const key = fc.oneof(
      fc.constantFrom("__proto__", "constructor", "toString", "<<", "", "timeout", "live", "url", "tls"),
      fc.string(),
    );
    const change = fc.record({
      at: fc.nat(),
      action: fc.constantFrom("set", "add", "delete", "move"),
      key,
      value,
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...good),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        (text, changes) => {
          const data = parseYaml(text, { merge: true }) as Record<string, unknown>;
          for (const { at, action, key, value } of changes) {
            const places = allPlaces(data);
            if (places.length === 0) break;
            const [holder, name] = places[at % places.length];
            const child = holder[name];
            const target =
              typeof child === "object" && child !== null ? (child as Record<string, unknown>) : holder;
            const put = (into: Record<string, unknown>, as: string, what: unknown) =>
              Array.isArray(into)
                ? into.push(what)
                : Object.defineProperty(into, as, {
                    value: what,
                    enumerable: true,
                    configurable: true,
                    writable: true,
                  });
            if (action === "set") put(holder, name, value);
            else if (action === "add") put(target, key, value);
            else if (!Array.isArray(holder)) {
              Reflect.deleteProperty(holder, name);
              if (action === "move") put(holder, key, child);
            }
          }
          isTold(stringify(data, { aliasDuplicateObjects: false }));
        },
      ),
      { seed: 20261124, numRuns: 400 },
    );
  });

  it("of characters and lines is read or told", () => {
    const snippet = fc.oneof(
      fc.constantFrom(
        "\t",
        ": ",
        "- ",
        "*a",
        "&a ",
        "<<: *fast",
        "---\n",
        "!!binary ",
        "? ",
        "{",
        "]",
        "'",
        "\0",
        "\ufeff",
        "\r",
        "%",
      ),
      fc.string(),
    );
    const change = fc.record({ at: fc.nat(), cut: fc.nat({ max: 12 }), snippet });
    fc.assert(
      fc.property(
        fc.constantFrom(...good),
        fc.array(change, { minLength: 1, maxLength: 5 }),
        (text, changes) => {
          let changed = text;
          for (const { at, cut, snippet } of changes) {
            const i = at % (changed.length + 1);
            changed = changed.slice(0, i) + snippet + changed.slice(i + cut);
          }
          isTold(changed);
        },
      ),
      { seed: 20261124, numRuns: 400 },
    );
  });

  it("however large or deep, is told within bounds", () => {
    assert.throws(() => parseConfig("[".repeat(51), "f.yaml"), invalid(/more than 50 levels/));
    const manyKeys = Array.from({ length: 3000 }, (_, i) => `key_${i}: 1`).join("\n");
    assert.throws(
      () => parseConfig(manyKeys, "f.yaml"),
      (error) => {
        const lines = (error as MillraceError).message.split("\n");
        assert.equal(lines.length, 101);
        assert.equal(lines[100], "f.yaml: there are more problems than these 100.");
        return true;
      },
    );
    isTold("[".repeat(50_000));
    isTold("a: ".repeat(20_000));
    isTold("- ".repeat(50_000));
    isTold("? ".repeat(50_000));
    isTold(Array.from({ length: 500 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"));
    isTold(`extract: ${"{ jobs: ".repeat(5_000)}`);
    isTold(`kafka:\n  brokers: [${"x, ".repeat(100_001)}]`);
    const merges = Array.from({ length: 40 }, (_, i) => `m${i + 1}: &m${i + 1} { <<: [*m${i}, *m${i}] }`);
    isTold(["m0: &m0 { a: 1 }", ...merges].join("\n"));
  });
});

function allPlaces(value: unknown): [Record<string, unknown>, string][] {
  if (typeof value !== "object" || value === null) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap((key) => [
    [holder, key] as [Record<string, unknown>, string],
    ...allPlaces(holder[key]),
  ]);
}

/** Every key of the schema's sections; entries of records are the user's. */
function keys(node: SchemaNode, path: string[]): [string[], SchemaNode][] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]): [string[], SchemaNode][] => {
    const schema = asNode(child)!;
    const at = [...path, key];
    return [[at, schema], ...(isRecord(schema) ? [] : keys(schema, at))];
  });
}
