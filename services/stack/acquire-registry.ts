import { rmSync } from "node:fs";
import { join } from "node:path";
import { findJavas, requireJava, requireProgram } from "./find-tool.js";
import type { Recipe } from "./install-server.js";
import type { Environment } from "./run-tool.js";

export const registryVersions = {
  /** Keeps the schemas in Kafka. */
  current: { version: "3.3.2", java: 21 },
  /** The last one for Java 17; keeps the schemas in a file. */
  forOlderJava: { version: "2.6.13.Final", java: 17 },
} as const;

/** Apicurio Registry from Maven Central, 160 MB; the version depends on the newest Java. */
export function registryRecipes(environment: Environment): Recipe[] {
  const newestJava = findJavas(environment).at(0)?.version ?? 0;
  const { current, forOlderJava } = registryVersions;
  const { version, java } = newestJava >= current.java ? current : forOlderJava;
  return [
    {
      server: "registry",
      version,
      bytes: 600_000_000,
      requireTools: () => {
        requireJava(java, "The schema registry", environment);
        requireProgram("mvn", "The schema registry", environment);
      },
      install: async ({ folder, run }) => {
        // Newer plugins read the artifact's POM first, whose parent Maven Central does not have.
        const goal = "org.apache.maven.plugins:maven-dependency-plugin:2.10:unpack";
        const artifact = `io.apicurio:apicurio-registry-app:${version}:tar.gz:all`;
        await run("mvn", ["-B", goal, `-Dartifact=${artifact}`, "-DoutputDirectory=."]);
        // Its marker of what was unpacked; without a project, the variable stays as it is.
        rmSync(join(folder, "${project.basedir}"), { recursive: true, force: true });
      },
    },
  ];
}
