import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { startUp } from "./up-process.js";

/** Writes down what it is called with, and fails as a docker without an engine does where a file tells it to. */
const fakeDocker = `#!/bin/sh
echo "$*" >> calls
if [ -e no-engine ]; then echo "Cannot connect to the Docker daemon at unix:///var/run/docker.sock." >&2; exit 1; fi
if [ -e broken ] && [ "$2" = up ]; then echo "service kafka is unhealthy" >&2; exit 1; fi
`;

describe("millrace up --docker", () => {
  let folder: string;
  const file = (...names: string[]) => join(folder, ...names);
  const calls = () => readFileSync(file("calls"), "utf8").trim().split("\n");
  const start = () =>
    startUp("etl_config.yaml", {
      args: ["--docker"],
      cwd: folder,
      environment: { PATH: file("bin") },
    });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "millrace-docker-"));
    mkdirSync(file("bin"));
    writeFileSync(file("bin/docker"), fakeDocker);
    chmodSync(file("bin/docker"), 0o755);
    writeFileSync(file("docker-compose.yml"), "");
    writeFileSync(file("etl_config.yaml"), "");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("says so where there is no docker", async () => {
    rmSync(file("bin/docker"));
    const { exitCode, stderr } = await start().ended;
    assert.match(stderr, /^TOOL_MISSING: --docker needs `docker`, which is not on the PATH\. [^\n]+\n$/);
    assert.equal(exitCode, 1);
  });

  it("says so where no engine answers, in docker's own words", async () => {
    writeFileSync(file("no-engine"), "");
    const { exitCode, stderr } = await start().ended;
    assert.match(
      stderr,
      /^TOOL_MISSING: No Docker engine answers: .*Cannot connect to the Docker daemon[^\n]+\n$/,
    );
    assert.equal(exitCode, 1);
    assert.deepEqual(calls(), ["version"]);
    assert.ok(!existsSync(file(".millrace/secrets")));
  });

  it("says so where there is no docker-compose.yml", async () => {
    rmSync(file("docker-compose.yml"));
    const { exitCode, stderr } = await start().ended;
    assert.match(stderr, /^CONFIG_UNREADABLE: There is no docker-compose\.yml in [^\n]+\n$/);
    assert.equal(exitCode, 78);
  });

  it("builds, waits for health, and takes the containers down again", async () => {
    const up = start();
    await up.line("a status", (line) => line.kind === "status");
    assert.deepEqual(calls(), ["version", "compose up --build --detach --wait"]);
    up.kill("SIGINT");
    const { exitCode, stderr } = await up.ended;
    assert.equal(stderr, "");
    assert.equal(exitCode, 0);
    assert.deepEqual(calls().slice(2), ["compose down"]);
  });

  it("takes down what a failed start left", async () => {
    writeFileSync(file("broken"), "");
    const { exitCode, stderr } = await start().ended;
    assert.match(
      stderr,
      /^SERVER_BUILD_FAILED: Docker: [^\n]*service kafka is unhealthy[^\n]*docker\.log[^\n]+\n$/,
    );
    assert.equal(exitCode, 1);
    assert.deepEqual(calls().slice(1), ["compose up --build --detach --wait", "compose down"]);
  });

  it("makes secrets once, which the containers' users may read in a folder that is ours alone", async () => {
    const secrets = ["influxdb_token", "influxdb_password"].map((name) => file(".millrace/secrets", name));
    const stopAfterStart = async () => {
      const up = start();
      await up.line("a status", (line) => line.kind === "status");
      up.kill("SIGINT");
      await up.ended;
      return secrets.map((secret) => readFileSync(secret, "utf8"));
    };
    const first = await stopAfterStart();
    assert.equal(statSync(file(".millrace/secrets")).mode & 0o777, 0o700);
    for (const secret of secrets) assert.equal(statSync(secret).mode & 0o777, 0o644);
    for (const text of first) assert.match(text, /^[\w-]{43}\n$/);
    assert.notEqual(first[0], first[1]);
    assert.deepEqual(await stopAfterStart(), first);
    for (const text of first)
      assert.ok(!readFileSync(file(".millrace/logs/docker.log"), "utf8").includes(text.trim()));
  });
});
