import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { describe, it } from "node:test";
import { parseConfig } from "../../services/shared/config.js";
import { createTelemetry } from "../../services/shared/telemetry.js";
import { repositoryFile } from "./compose-file.js";

const instructions = repositoryFile("Dockerfile")
  .replaceAll("\\\n", "")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => {
    const [, keyword, rest] = /^([A-Z]+)\s+(.*)$/.exec(line)!;
    return { keyword: keyword, rest: rest };
  });
const lastStage = instructions.slice(instructions.findLastIndex(({ keyword }) => keyword === "FROM"));
const only = (keyword: string) => {
  const found = lastStage.filter((instruction) => instruction.keyword === keyword);
  assert.equal(found.length, 1, keyword);
  return found[0].rest;
};
const { ports } = parseConfig("", "").telemetry;

/** The health check's exit code when the service's telemetry has the given port. */
async function healthcheck(port: number): Promise<number> {
  const command = JSON.parse(/CMD (\[.*\])$/.exec(only("HEALTHCHECK"))![1]) as string[];
  const [program, ...arguments_] = command.map((part) => part.replace(`${ports.sink}`, `${port}`));
  assert.equal(program, "node");
  // Only the named port may answer: the others could be those of a running system.
  const others = Object.values(ports).filter((other) => other !== ports.sink);
  const isolated = arguments_.map((part) =>
    others.reduce((text, other) => text.replace(`${other}`, "1"), part),
  );
  const [code] = (await once(spawn(process.execPath, isolated), "exit")) as [number];
  return code;
}

describe("Dockerfile", () => {
  it("starts from an exact version of Node in each stage, of the release that the project runs on", () => {
    const stages = instructions.filter(({ keyword }) => keyword === "FROM");
    assert.equal(stages.length, 2);
    for (const { rest } of stages) assert.match(rest, /^node:20\.\d+\.\d+-bookworm-slim( AS \w+)?$/);
  });

  it("does not run as root", () => {
    assert.equal(only("USER"), "node");
    const after = lastStage.slice(lastStage.findIndex(({ keyword }) => keyword === "USER"));
    assert.ok(!after.some(({ keyword }) => ["RUN", "COPY", "ADD"].includes(keyword)));
  });

  it("is stopped by the signal that the services end on, and runs the command", () => {
    assert.equal(only("STOPSIGNAL"), "SIGTERM");
    assert.deepEqual(JSON.parse(only("ENTRYPOINT")), ["node", "dist/services/cli/main.js"]);
  });

  it("exposes the telemetry's ports", () => {
    assert.deepEqual(only("EXPOSE").split(" ").map(Number), Object.values(ports));
  });

  it("copies only what exists, and nothing that .dockerignore leaves out", () => {
    const included = repositoryFile(".dockerignore")
      .split("\n")
      .filter((line) => line.startsWith("!"))
      .map((line) => line.slice(1));
    const copied = instructions
      .filter(({ keyword, rest }) => keyword === "COPY" && !rest.startsWith("--from"))
      .flatMap(({ rest }) => rest.split(" ").slice(0, -1));
    assert.deepEqual(new Set(copied), new Set(included));
    for (const path of copied) assert.ok(existsSync(new URL(`../../../${path}`, import.meta.url)), path);
  });

  it("is healthy when the service is ready, and not before or without it", async () => {
    const telemetry = createTelemetry("sink");
    const port = await telemetry.listen("127.0.0.1", 0);
    try {
      assert.equal(await healthcheck(port), 1);
      telemetry.setReadiness("start", null);
      assert.equal(await healthcheck(port), 0);
    } finally {
      await telemetry.close();
    }
    assert.equal(await healthcheck(port), 1);
  });
});
