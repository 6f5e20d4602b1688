import assert from "node:assert/strict";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { MillraceError } from "../../services/shared/errors.js";
import { identityOf } from "../../services/stack/process-identity.js";
import { type ToolRun, runTool } from "../../services/stack/run-tool.js";
import { until } from "../sink/until.js";
import { type FakeTools, fakeTools } from "./fake-tools.js";

describe("runTool", () => {
  let tools: FakeTools;
  let logFile: string;
  let lines: string[];
  let stopping: AbortController;
  beforeEach(() => {
    tools = fakeTools();
    logFile = join(tools.folder, "tool.log");
    lines = [];
    stopping = new AbortController();
  });
  afterEach(() => tools.remove());

  const run = (script: string, args: readonly string[] = ["build"], changes: Partial<ToolRun> = {}) => {
    tools.write("tool", script);
    return runTool({
      command: "tool",
      args,
      purpose: "Kafka",
      cwd: tools.folder,
      environment: tools.environment,
      logFile,
      onLine: (line) => lines.push(line),
      signal: stopping.signal,
      ...changes,
    });
  };
  const failureOf = async (running: Promise<string>): Promise<MillraceError> => {
    const error: unknown = await running.then(
      () => "it succeeded",
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof MillraceError, String(error));
    return error;
  };
  const isGone = (pid: number) => identityOf(pid) === null;

  it("resolves to what it printed, tells each line, logs all of it", async () => {
    const output = await run(
      "echo one; printf '\\033[32mgreen\\033[0m\\n\\n' >&2; printf '%s in %s' \"$*\" \"$PWD\"",
      ["a", "b"],
    );
    assert.equal(output, `one\na b in ${tools.folder}`);
    assert.deepEqual(lines.toSorted(), [`a b in ${tools.folder}`, "green", "one"]);
    const log = readFileSync(logFile, "utf8");
    for (const part of ["$ tool a b\n", "one\n", "\u001b[32mgreen"]) assert.ok(log.includes(part), log);
  });

  it("fails with the first line that tells why, and names the log", async () => {
    const { code, message } = await failureOf(
      run("echo '[ERROR] no such artifact'; echo '[ERROR] read more at'; echo bye >&2; exit 4"),
    );
    assert.equal(code, "SERVER_BUILD_FAILED");
    assert.equal(message, `Kafka: \`tool build\` ended with 4: [ERROR] no such artifact (log: ${logFile}).`);
  });

  it("fails with the last line where none tells why, without an end too", async () => {
    const { message } = await failureOf(run("echo one; printf two; exit 1"));
    assert.match(message, /ended with 1: two \(log: /);
  });

  it("tells that a signal ended it", async () => {
    assert.match((await failureOf(run("kill -KILL $$"))).message, /ended with a signal: /);
  });

  it("fails where there is no such tool", async () => {
    const { code, message } = await failureOf(run("", ["build"], { command: "missing" }));
    assert.equal(code, "SERVER_BUILD_FAILED");
    assert.equal(message, `Kafka: \`missing\` cannot be run (log: ${logFile}).`);
  });

  it("fails where the system refuses to run it", async () => {
    const { code, message } = await failureOf(run("", ["x".repeat(1_000_000)]));
    assert.equal(code, "SERVER_BUILD_FAILED");
    assert.equal(message, `Kafka: \`tool\` cannot be run (log: ${logFile}).`);
  });

  it("fails with DISK_FULL where the tool says so", async () => {
    const { code, message } = await failureOf(run("cat /bin/sh > /dev/full"));
    assert.equal(code, "DISK_FULL");
    assert.match(message, /^Kafka: .*[Nn]o space left on device\.$/);
  });

  it("ends nothing for want of space for its log, which explains what fails of itself", async () => {
    symlinkSync("/dev/full", logFile);
    assert.equal(await run("echo fine"), "fine\n");
    assert.equal((await failureOf(run("echo odd; exit 1"))).code, "DISK_FULL");
  });

  it("does not begin once it was interrupted", async () => {
    stopping.abort(new Error("enough"));
    await assert.rejects(run("touch begun"), /enough/);
    assert.ok(!existsSync(join(tools.folder, "begun")));
  });

  it("ends a slow tool with all its children when it is interrupted", async () => {
    const running = run("sleep 60 & echo $!; echo $$; wait");
    running.catch(() => undefined);
    await until(() => lines.length === 2, "its pids");
    stopping.abort(new Error("enough"));
    await assert.rejects(running, /enough/);
    assert.ok(lines.map(Number).every(isGone));
  });

  it("kills one that does not obey, and does not wait for a daemon that holds its output", async () => {
    const running = run("trap '' TERM; setsid sleep 30 & echo $!; echo $$; while :; do sleep 0.1; done");
    running.catch(() => undefined);
    await until(() => lines.length === 2, "its pids");
    const [daemon, tool] = lines.map(Number);
    stopping.abort(new Error("enough"));
    await assert.rejects(running, /enough/);
    assert.ok(!isGone(daemon), "the daemon was waited for");
    process.kill(daemon, "SIGKILL");
    assert.ok(isGone(tool));
  });
});
