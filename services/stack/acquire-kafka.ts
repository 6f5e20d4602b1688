import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { requireJava, requireProgram } from "./find-tool.js";
import type { Recipe } from "./install-server.js";

const KAFKA_VERSION = "4.3.1";
/** Kafka 4 brokers need Java 17. */
export const KAFKA_JAVA_VERSION = 17;

/** Kafka's jars from Maven Central, 55 MB; and a logger for them, which Kafka's own distribution adds as well. */
export function kafkaRecipes(): Recipe[] {
  return [
    {
      server: "kafka",
      version: KAFKA_VERSION,
      bytes: 300_000_000,
      requireTools: (environment) => {
        requireJava(KAFKA_JAVA_VERSION, "Kafka", environment);
        requireProgram("mvn", "Kafka", environment);
      },
      install: async ({ folder, run }) => {
        writeFileSync(join(folder, "pom.xml"), pom);
        const goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
        await run("mvn", ["-B", goal, "-DincludeScope=runtime", "-DoutputDirectory=libs"]);
      },
    },
  ];
}

const dependency = (groupId: string, artifactId: string, version: string) =>
  `<dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency>`;

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>millrace</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <dependencies>
    ${dependency("org.apache.kafka", "kafka_2.13", KAFKA_VERSION)}
    ${dependency("org.apache.kafka", "kafka-tools", KAFKA_VERSION)}
    ${dependency("org.apache.logging.log4j", "log4j-slf4j-impl", "2.25.4")}
  </dependencies>
</project>
`;
