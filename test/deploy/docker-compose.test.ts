import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { parse } from "yaml";
import { parseDurationMs } from "../../services/shared/config-schema.js";
import { parseConfig } from "../../services/shared/config.js";
import { STOP_LIMIT_MS } from "../../services/shared/lifecycle.js";
import { composeFile, repositoryFile } from "./compose-file.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const compose = composeFile();
const services = Object.entries(compose.services);
const millrace = services.filter(([, { image }]) => image.startsWith("millrace:"));
const etlConfig = repositoryFile("config/etl_config.yaml");
const localConfig = parseConfig(etlConfig, "etl_config.yaml");

/** What the services in the containers see. */
function containerConfig(environment: Record<string, string | number> = {}) {
  const texts = Object.entries(environment).map(([name, value]) => [name, String(value)] as const);
  return parseConfig(etlConfig, "etl_config.yaml", Object.fromEntries(texts));
}

/** The ports that the image of a service listens at inside. */
const insidePorts: Record<string, number[] | undefined> = {
  kafka: [...String(compose.services["kafka"].environment!["KAFKA_LISTENERS"]).matchAll(/\/\/:(\d+)/g)].map(
    ([, port]) => Number(port),
  ),
  registry: [8080],
  influxdb: [8086],
  "node-exporter": [9100],
  prometheus: [9090],
  ...Object.fromEntries(Object.entries(localConfig.telemetry.ports).map(([name, port]) => [name, [port]])),
};

function assertServed(host: string, port: number, by: string) {
  assert.ok(insidePorts[host]?.includes(port), `${by}: nobody listens at ${host}:${port}`);
}

describe("docker-compose.yml", () => {
  it("is valid by the compose specification", () => {
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    formats.default(ajv);
    const validate = ajv.compile(JSON.parse(repositoryFile("test/deploy/compose-spec.json")) as object);
    validate(parse(repositoryFile("docker-compose.yml"), { merge: true }));
    assert.deepEqual(validate.errors, null);
    validate({ services: { kafka: { imaje: "kafka" } } });
    assert.notDeepEqual(validate.errors, null);
  });

  it("is valid by docker compose itself, where it is installed", (context) => {
    if (spawnSync("docker", ["compose", "version"]).status !== 0) {
      context.skip("docker compose is not installed");
      return;
    }
    execFileSync("docker", ["compose", "config", "--quiet"], { cwd: root });
  });

  it("pins every image to an exact version", () => {
    for (const [name, { image }] of services) assert.match(image, /^[a-z/-]+:v?\d+\.\d+\.\d+$/, name);
    const { version } = JSON.parse(repositoryFile("package.json")) as { version: string };
    assert.equal(new Set(millrace.map(([, { image }]) => image)).size, 1);
    assert.equal(millrace[0][1].image, `millrace:${version}`);
    assert.equal(millrace.filter(([, { build }]) => build !== undefined).length, 1);
  });

  it("gives no container more rights than it needs", () => {
    for (const [name, service] of services) {
      assert.equal(service.read_only, true, name);
      assert.deepEqual(service.cap_drop, ["ALL"], name);
      assert.deepEqual(service.security_opt, ["no-new-privileges:true"], name);
    }
  });

  it("publishes on the loopback only, and where the configuration expects the servers", () => {
    const published = new Map<string, string>();
    for (const [name, { ports = [] }] of services) {
      for (const port of ports) {
        const [, host, inside] = /^127\.0\.0\.1:(\d+):(\d+)$/.exec(port) ?? assert.fail(`${name}: ${port}`);
        assertServed(name, Number(inside), `${name} publishes`);
        assert.ok(!published.has(`127.0.0.1:${host}`), `${host} twice`);
        published.set(`127.0.0.1:${host}`, name);
      }
    }
    const { kafka, registry, extract, load, telemetry } = localConfig;
    assert.deepEqual(
      published,
      new Map([
        [kafka.brokers[0], "kafka"],
        [new URL(registry.url).host, "registry"],
        [new URL(load.influxdb.url).host, "influxdb"],
        [new URL(extract.prometheus.url).host, "prometheus"],
        ...Object.entries(telemetry.ports).map(
          ([name, port]) => [`${telemetry.host}:${port}`, name] as const,
        ),
      ]),
    );
  });

  it("runs each service that the configuration knows, and before them the creation of topics", () => {
    const commands = Object.fromEntries(millrace.map(([name, { command }]) => [name, command]));
    assert.deepEqual(commands, {
      init: ["topics", "--create"],
      ...Object.fromEntries(Object.keys(localConfig.telemetry.ports).map((name) => [name, [name]])),
    });
    for (const name of ["poller", "processor", "sink"]) {
      const dependency = compose.services[name].depends_on?.["init"]?.condition;
      assert.equal(dependency, "service_completed_successfully", name);
    }
  });

  it("gives commands that the millrace command knows", () => {
    const millraceCommand = fileURLToPath(new URL("../../services/cli/main.js", import.meta.url));
    for (const [name, { command = [] }] of millrace) {
      const [subcommand, ...options] = command;
      const help = spawnSync(process.execPath, [millraceCommand, "help", subcommand], { encoding: "utf8" });
      assert.equal(help.status, 0, `${name}: ${help.stderr}`);
      for (const option of options) assert.ok(help.stdout.includes(option), `${name}: ${option}`);
    }
  });

  it("leaves no topic to chance: all come from services/shared/topics.ts", () => {
    assert.equal(compose.services["kafka"].environment!["KAFKA_AUTO_CREATE_TOPICS_ENABLE"], "false");
  });

  it("configures Millrace by keys of the configuration, and by addresses where somebody listens", () => {
    for (const [name, { environment, secrets = [] }] of millrace) {
      const config = containerConfig(environment);
      for (const address of [config.extract.prometheus.url, config.load.influxdb.url, config.registry.url]) {
        const { hostname, port } = new URL(address);
        assertServed(hostname, Number(port), name);
      }
      assert.equal(new URL(config.registry.url).pathname, new URL(localConfig.registry.url).pathname);
      for (const broker of config.kafka.brokers) {
        const [host, port] = broker.split(":");
        assertServed(host, Number(port), name);
        const advertised = String(compose.services["kafka"].environment!["KAFKA_ADVERTISED_LISTENERS"]);
        assert.ok(advertised.includes(`//${broker}`), `Kafka does not advertise ${broker}`);
      }
      assert.equal(config.telemetry.host, "0.0.0.0");
      assert.deepEqual(config.telemetry.ports, localConfig.telemetry.ports);
      if (name === "sink") {
        assert.ok(
          secrets.map((secret) => `/run/secrets/${secret}`).includes(config.load.influxdb.token_file),
        );
      }
    }
    assert.throws(() => containerConfig({ MILLRACE_KAFKA__BROKER: "kafka:19092" }), {
      code: "CONFIG_INVALID",
    });
    for (const [name, { environment = {} }] of services) {
      const own = Object.keys(environment).filter((variable) => variable.startsWith("MILLRACE_"));
      assert.equal(
        own.length > 0,
        millrace.some(([other]) => other === name),
        name,
      );
    }
  });

  it("advertises Kafka to this machine where the configuration looks for it", () => {
    const advertised = String(compose.services["kafka"].environment!["KAFKA_ADVERTISED_LISTENERS"]);
    assert.ok(advertised.split(",").includes(`HOST://${localConfig.kafka.brokers[0]}`));
  });

  it("sets InfluxDB up as the configuration has it", () => {
    const environment = compose.services["influxdb"].environment!;
    const { org, bucket, retention_policies } = localConfig.load.influxdb;
    assert.equal(environment["DOCKER_INFLUXDB_INIT_ORG"], org);
    assert.equal(environment["DOCKER_INFLUXDB_INIT_BUCKET"], bucket);
    assert.equal(
      parseDurationMs(String(environment["DOCKER_INFLUXDB_INIT_RETENTION"])),
      retention_policies.hot,
    );
  });

  it("lets Prometheus scrape services that are there", () => {
    const { scrape_configs } = parse(repositoryFile("config/prometheus/prometheus.yml")) as {
      scrape_configs: { static_configs: { targets: string[] }[] }[];
    };
    const targets = scrape_configs.flatMap((job) => job.static_configs.flatMap((group) => group.targets));
    for (const target of targets) {
      const [host, port] = target.split(":");
      assertServed(host, Number(port), "prometheus.yml");
    }
    for (const name of Object.keys(insidePorts).filter(
      (name) => !["kafka", "registry", "influxdb"].includes(name),
    )) {
      assert.ok(
        targets.some((target) => target.startsWith(`${name}:`)),
        `${name} is not scraped`,
      );
    }
  });

  it("waits for health where there is a health check, and for an end where there is one", () => {
    for (const [name, { depends_on = {} }] of services) {
      for (const [other, { condition }] of Object.entries(depends_on)) {
        const dependency = compose.services[other];
        assert.ok(dependency, `${name} depends on ${other}`);
        const ends = dependency.restart === "no";
        assert.equal(
          condition,
          ends ? "service_completed_successfully" : "service_healthy",
          `${name} on ${other}`,
        );
      }
    }
  });

  it("restarts and checks whatever does not end by itself", () => {
    for (const [name, { restart, healthcheck, image }] of services) {
      if (name === "init") {
        assert.equal(restart, "no");
        assert.equal(healthcheck?.disable, true);
        continue;
      }
      assert.equal(restart, "unless-stopped", name);
      // Millrace's is the image's.
      assert.equal(healthcheck?.test?.[0], image.startsWith("millrace:") ? undefined : "CMD", name);
    }
  });

  it("gives Millrace's services more time to stop than they take", () => {
    for (const [name, { stop_grace_period }] of millrace) {
      assert.ok(parseDurationMs(stop_grace_period!)! > STOP_LIMIT_MS, name);
    }
  });

  it("uses every volume, configuration and secret that it declares, and declares all that it uses", () => {
    const used = (names: (service: (typeof services)[number][1]) => string[]) =>
      [...new Set(services.flatMap(([, service]) => names(service)))].sort();
    assert.deepEqual(
      used(({ volumes = [] }) => volumes.map((volume) => volume.split(":")[0])),
      Object.keys(compose.volumes).sort(),
    );
    assert.deepEqual(
      used(({ configs = [] }) => configs.map(({ source }) => source)),
      Object.keys(compose.configs).sort(),
    );
    assert.deepEqual(
      used(({ secrets = [] }) => secrets),
      Object.keys(compose.secrets).sort(),
    );
    for (const { file } of Object.values(compose.configs)) assert.ok(repositoryFile(file).length > 0);
  });

  it("takes the token from where the configuration has it on this machine, and no secret from the environment", () => {
    assert.equal(compose.secrets["influxdb_token"].file, localConfig.load.influxdb.token_file);
    for (const [name, { environment = {} }] of services) {
      for (const [variable, value] of Object.entries(environment)) {
        if (/TOKEN|PASSWORD|SECRET/.test(variable))
          assert.match(String(value), /^\/run\/secrets\//, `${name} ${variable}`);
      }
    }
  });
});
