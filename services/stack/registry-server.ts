import { dirname, join } from "node:path";
import type { Config } from "../shared/config-schema.js";
import { MillraceError } from "../shared/errors.js";
import { registryVersions } from "./acquire-registry.js";
import { requireJava } from "./find-tool.js";
import { installedVersion } from "./install-server.js";
import { addressOfUrl, bindHost, jsonOf, probeHttp, wantsCredentials } from "./probe.js";
import type { Environment } from "./run-tool.js";
import type { Folders, ServerDefinition } from "./server-definition.js";

/** Apicurio Registry, whose API is also Confluent's. */
export const registryServer: ServerDefinition = {
  name: "registry",
  addressKey: "registry.url",
  address: ({ registry }) => addressOfUrl(registry.url),
  morePorts: () => [],
  needs: ["kafka"],
  probe: (config) =>
    probeHttp(`${config.registry.url}/subjects`, registryServer.address(config), (status, body) => {
      if (wantsCredentials(status)) return "ready";
      if (status === 503) return "starting";
      return status === 200 && Array.isArray(jsonOf(body)) ? "ready" : "other";
    }),
  prepareLaunch: (config, folders, environment) => {
    const version = installedVersion("registry", dirname(folders.program));
    const { current, forOlderJava } = registryVersions;
    const isCurrent = version === current.version;
    const java = requireJava((isCurrent ? current : forOlderJava).java, "The schema registry", environment);
    const jar = isCurrent ? "quarkus-run.jar" : `apicurio-registry-app-${forOlderJava.version}-runner.jar`;
    const { host, port } = registryServer.address(config);
    return Promise.resolve({
      command: java.program,
      // Starting is most of what it ever does: the quick compiler alone makes that twice as fast.
      args: ["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar", join(folders.program, jar)],
      cwd: folders.data,
      environment: {
        ...environment,
        QUARKUS_HTTP_HOST: bindHost(host),
        QUARKUS_HTTP_PORT: String(port),
        QUARKUS_HTTP_ACCESS_LOG_ENABLED: "false",
        QUARKUS_OTEL_SDK_DISABLED: "true",
        QUARKUS_LOG_CATEGORY__ORG_APACHE_KAFKA__LEVEL: "WARN",
        ...(isCurrent ? storageInKafka(config) : storageInFile(folders)),
      },
    });
  },
};

function storageInKafka({ kafka }: Config): Environment {
  if (kafka.tls !== undefined || kafka.sasl !== undefined) {
    throw new MillraceError(
      "SERVER_START_FAILED",
      "registry.url does not answer, and a local registry can only keep its schemas in a Kafka without TLS and SASL.",
    );
  }
  return {
    APICURIO_STORAGE_KIND: "kafkasql",
    APICURIO_KAFKASQL_BOOTSTRAP_SERVERS: kafka.brokers.join(","),
    // Twice as long is how long its start waits for what is already there; 5 s each by default.
    APICURIO_KAFKASQL_CONSUMER_POLL_TIMEOUT: "100",
    // Health and metrics of its own, which nobody asks for: any free port.
    QUARKUS_MANAGEMENT_HOST: "127.0.0.1",
    QUARKUS_MANAGEMENT_PORT: "0",
  };
}

function storageInFile({ data }: Folders): Environment {
  return { REGISTRY_DATASOURCE_URL: `jdbc:h2:file:${join(data, "registry")}` };
}
