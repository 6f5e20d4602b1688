import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { composeFile } from "./compose-file.js";

const libraries = fileURLToPath(new URL("../../../.millrace/servers/kafka/libs/*", import.meta.url));

describe("the environment of docker-compose.yml's Kafka", () => {
  it("is taken by the image's own start-up, which formats its storage with it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "millrace-compose-kafka-"));
    try {
      const { image, environment = {} } = composeFile().services["kafka"];
      for (const name of ["default", "mounted", "final"]) await mkdir(join(folder, name));
      // The image has these beside the program; it adds what the environment says.
      for (const name of ["server.properties", "log4j2.yaml", "tools-log4j2.yaml"]) {
        await writeFile(join(folder, "default", name), "");
      }
      // The class that the image starts with: it turns KAFKA_ variables into server.properties, and runs `format`.
      const { stdout } = await promisify(execFile)(
        "java",
        [
          ...["-cp", libraries, "kafka.docker.KafkaDockerWrapper", "setup"],
          ...["--default-configs-dir", join(folder, "default")],
          ...["--mounted-configs-dir", join(folder, "mounted")],
          ...["--final-configs-dir", join(folder, "final")],
        ],
        { env: { PATH: process.env["PATH"], ...texts(environment), KAFKA_LOG_DIRS: join(folder, "data") } },
      );
      // The version that the tests run on is the image's.
      assert.match(stdout, new RegExp(`metadata\\.version ${image.replace(/^.*:(\d+\.\d+)\..*$/, "$1")}-`));

      const properties = await readFile(join(folder, "final", "server.properties"), "utf8");
      for (const property of [
        "process.roles=broker,controller",
        `advertised.listeners=${environment["KAFKA_ADVERTISED_LISTENERS"]}`,
        "auto.create.topics.enable=false",
        "transaction.state.log.min.isr=1",
      ]) {
        assert.ok(properties.split("\n").includes(property), property);
      }
      const storage = await readFile(join(folder, "data", "meta.properties"), "utf8");
      assert.ok(storage.includes(`cluster.id=${environment["CLUSTER_ID"]}`));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

function texts(environment: Record<string, string | number>): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)]));
}
