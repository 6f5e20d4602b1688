import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { parseConfig, parsePipelines } from "../../services/shared/config.js";
import { MillraceError } from "../../services/shared/errors.js";

const parse = (environment: Record<string, string>, text = "") => parseConfig(text, "f.yaml", environment);
const refused = (environment: Record<string, string>, message: RegExp, text = "") =>
  assert.throws(() => parse(environment, text), { code: "CONFIG_INVALID", message });

describe("overrides from the environment", () => {
  it("win over the file", () => {
    const text = "load: { influxdb: { url: http://file:8086, bucket: file } }";
    const { influxdb } = parse({ MILLRACE_LOAD__INFLUXDB__URL: "http://variable:8086" }, text).load;
    assert.equal(influxdb.url, "http://variable:8086");
    assert.equal(influxdb.bucket, "file");
  });

  it("are YAML: numbers, lists, sections", () => {
    const config = parse({
      MILLRACE_EXTRACT__PROMETHEUS__TIMEOUT: "2.5",
      MILLRACE_KAFKA__BROKERS: "[a:1, 'b:2']",
      MILLRACE_TRANSFORM__FEATURE_ENGINEERING__ROLLING_WINDOWS: "[5, 90s]",
      MILLRACE_KAFKA__TLS: "{}",
      MILLRACE_KAFKA__SASL: "{ username: u, password_file: p }",
      MILLRACE_KAFKA__SASL__MECHANISM: "plain",
    });
    assert.equal(config.extract.prometheus.timeout, 2.5);
    assert.deepEqual(config.kafka.brokers, ["a:1", "b:2"]);
    assert.deepEqual(config.transform.feature_engineering.rolling_windows[1], { name: "90s", ms: 90_000 });
    assert.deepEqual(config.kafka.tls, {});
    assert.deepEqual(config.kafka.sasl, { mechanism: "plain", username: "u", password_file: "p" });
  });

  it("need no quotes for text that YAML would take for something else", () => {
    const { kafka, load } = parse({
      MILLRACE_KAFKA__TOPIC_PREFIX: "007",
      MILLRACE_LOAD__INFLUXDB__BUCKET: "{broken: yaml",
      MILLRACE_LOAD__INFLUXDB__ORG: "'quoted'",
    });
    assert.equal(kafka.topic_prefix, "007");
    assert.equal(load.influxdb.bucket, "{broken: yaml");
    assert.equal(load.influxdb.org, "quoted");
  });

  it("reach the entries that users name, of the file and of the default", () => {
    const text = "extract: { jobs: { my-job: { templates: [system] }, other: { templates: [custom] } } }";
    const { jobs } = parse({ MILLRACE_EXTRACT__JOBS__MY_JOB__INTERVAL: "7s" }, text).extract;
    assert.equal(jobs["my-job"].interval, 7000);
    assert.equal(jobs["other"].interval, 500);

    const { extract, entities } = parse({
      MILLRACE_EXTRACT__JOBS__LIVE__OVERLAP: "20s",
      MILLRACE_ENTITIES__SERVICE: "[namespace, service]",
    });
    assert.equal(extract.jobs["live"].overlap, 20_000);
    assert.equal(extract.jobs["live"].templates.length, 4);
    assert.deepEqual(entities["service"], ["namespace", "service"]);
    assert.deepEqual(entities["target"], ["job", "instance"]);
  });

  it("do not reach the next parse", () => {
    parse({ MILLRACE_EXTRACT__JOBS__LIVE__INTERVAL: "9s", MILLRACE_ENTITIES__SERVICE: "[x]" });
    const { extract, entities } = parse({});
    assert.equal(extract.jobs["live"].interval, 500);
    assert.deepEqual(entities["service"], ["job", "service"]);
  });

  it("leave alone what is empty, of the tests, or without the prefix", () => {
    const environment = {
      MILLRACE_CONFIG: "elsewhere.yaml",
      MILLRACE_TEST_UPDATE: "1",
      MILLRACE_LOAD__INFLUXDB__URL: "",
      MILLRACE_UNKNOWN: "",
      PATH: "/bin",
      KAFKA__BROKERS: "a:1",
      XMILLRACE_FOO: "1",
    };
    assert.deepEqual(parse(environment), parse({}));
  });

  it("that name no key are refused, with the nearest name", () => {
    refused(
      { MILLRACE_LOAD__INFLUX__URL: "http://x" },
      /^MILLRACE_LOAD__INFLUX__URL: there is no key `influx` in load; did you mean `influxdb`\?$/,
    );
    refused({ MILLRACE_KAFKA__BROKER: "a:1" }, /no key `broker` in kafka; did you mean `brokers`\?/);
    refused({ MILLRACE_FOO: "1" }, /^MILLRACE_FOO: there is no key `foo`; known: extract, /);
    refused({ MILLRACE_: "1" }, /no key ``/);
    refused({ MILLRACE_KAFKA__PARTITIONS__MAX: "1" }, /kafka\.partitions has no keys/);
    refused(
      { MILLRACE_EXTRACT__JOBS__LIFE__INTERVAL: "1s" },
      /no key `life` in extract\.jobs; did you mean `live`\?/,
    );
    refused({ MILLRACE_KAFKA____BROKERS: "[a:1]" }, /no key `` in kafka/);
    refused({ MILLRACE_CONSTRUCTOR: "1", MILLRACE___PROTO__: "1" }, /no key `constructor`/);
  });

  it("with a wrong value are told by the variable's name", () => {
    refused(
      { MILLRACE_KAFKA__PARTITIONS: "many" },
      /^MILLRACE_KAFKA__PARTITIONS kafka\.partitions: expected a whole number from 1 to 1000; found "many"\.$/,
    );
    refused(
      { MILLRACE_KAFKA__BROKERS: "[a:1, b]" },
      /^MILLRACE_KAFKA__BROKERS kafka\.brokers\[1\]: expected host:port/,
    );
    refused({ MILLRACE_KAFKA__BROKERS: "[a:1" }, /^MILLRACE_KAFKA__BROKERS: the value is no YAML\.$/);
    refused(
      { MILLRACE_TELEMETRY__PORTS__SINK: "9301" },
      /^MILLRACE_TELEMETRY__PORTS__SINK telemetry\.ports\.sink: the port 9301/,
    );
    refused(
      { MILLRACE_KAFKA__SASL__USERNAME: "u" },
      /^MILLRACE_KAFKA__SASL__USERNAME kafka\.sasl\.password_file: expected the name of a file; found nothing/,
    );
    refused({ MILLRACE_KAFKA: "~" }, /^MILLRACE_KAFKA kafka: expected a section/);
  });

  it("that name one key twice are refused", () => {
    refused(
      { MILLRACE_KAFKA__PARTITIONS: "3", MILLRACE_kafka__partitions: "5" },
      /MILLRACE_kafka__partitions: MILLRACE_KAFKA__PARTITIONS sets the same key/,
    );
  });

  it("of the pipelines belong to the pipelines' file only", () => {
    const environment = {
      MILLRACE_PIPELINES__REAL_TIME__SCHEDULE: "*/10 * * * *",
      MILLRACE_KAFKA__PARTITIONS: "3",
    };
    assert.equal(parse(environment).kafka.partitions, 3);
    const { pipelines } = parsePipelines("", "p.yaml", environment);
    assert.equal(pipelines["real_time"].schedule, "*/10 * * * *");
    assert.equal(pipelines["batch"].timeout, 3600);
    const wrong = { MILLRACE_PIPELINES__REAL_TIM__SCHEDULE: "manual" };
    assert.throws(() => parsePipelines("", "p.yaml", wrong), { message: /did you mean `real_time`/ });
  });

  it("are read or told, whatever they hold", () => {
    const path = fc.constantFrom(
      "KAFKA", "KAFKA__TLS", "KAFKA__SASL__PASSWORD_FILE", "KAFKA__BROKERS", "LOAD__INFLUXDB__URL", "EXTRACT__JOBS",
      "EXTRACT__JOBS__LIVE", "EXTRACT__JOBS__LIVE__TEMPLATES", "ENTITIES__TARGET", "EXTRACT__TEMPLATES__SYSTEM__SELECTORS",
      "TRANSFORM__FEATURE_ENGINEERING__PERCENTILES", "TELEMETRY__PORTS__SINK", "__PROTO__", "STACK__HOME",
    ); // prettier-ignore
    const value = fc.oneof(
      fc.string(),
      fc.json({ maxDepth: 2 }),
      fc.constantFrom("~", "{}", "[]", "&a [*a]", "!x y", "{<<: 1}"),
    );
    fc.assert(
      fc.property(fc.dictionary(path, value, { maxKeys: 4 }), (variables) => {
        const environment = Object.fromEntries(
          Object.entries(variables).map(([key, text]) => [`MILLRACE_${key}`, text]),
        );
        try {
          parse(environment);
        } catch (error) {
          assert.ok(error instanceof MillraceError, error instanceof Error ? error.stack : String(error));
          assert.equal(error.code, "CONFIG_INVALID");
          assert.match(error.message, /MILLRACE_/);
        }
      }),
      { seed: 20261124, numRuns: 500 },
    );
  });
});
