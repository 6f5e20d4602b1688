import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, afterEach, beforeEach, describe, it } from "node:test";
import {
  type Exit,
  type KeepOptions,
  type KeptProcess,
  keepRunning,
  restartDelayMs,
} from "../../services/stack/keep-running.js";
import { identityOf, rememberedProcess } from "../../services/stack/process-identity.js";
import { until } from "../sink/until.js";
import { type FakeTools, fakeTools } from "./fake-tools.js";

describe("restartDelayMs", () => {
  it("doubles from a second to half a minute", () => {
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6, 7, 2_000].map(restartDelayMs),
      [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000],
    );
  });
});

describe("keepRunning", () => {
  let tools: FakeTools;
  let logFile: string;
  let pidFile: string;
  let exits: EventEmitter;
  let kept: KeptProcess | null;
  let starts: number;
  beforeEach(() => {
    tools = fakeTools();
    logFile = join(tools.folder, "logs/tool.log");
    pidFile = join(tools.folder, "run/tool.json");
    exits = new EventEmitter();
    kept = null;
    starts = 0;
  });
  afterEach(() => {
    kept?.kill();
    tools.remove();
  });

  const keep = (script: string, options: Partial<KeepOptions> = {}) => {
    kept = keepRunning({
      launch: {
        command: tools.write("tool", script),
        args: [],
        cwd: tools.folder,
        environment: tools.environment,
      },
      logFile,
      pidFile,
      withChannel: false,
      stopLimitMs: 5_000,
      shouldRestart: () => true,
      onStarted: () => starts++,
      onExit: (exit, restartInMs) => exits.emit("exit", { exit, restartInMs }),
      ...options,
    });
    return kept;
  };
  const nextExit = async () => {
    const [ended] = (await once(exits, "exit")) as [{ exit: Exit; restartInMs: number | null }];
    return ended;
  };
  const logged = () => (existsSync(logFile) ? readFileSync(logFile, "utf8") : "");
  const lines = () =>
    logged()
      .split("\n")
      .filter((line) => line !== "");
  /** Time for restarts goes on only where the test says so. */
  const stopTime = (t: TestContext) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    return (ms: number) => t.mock.timers.tick(ms);
  };

  it("starts what ends again, later each time, and not a moment too early", async (t) => {
    const pass = stopTime(t);
    keep("echo again; exit 3");
    for (const [times, delayMs] of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000].entries()) {
      const { exit, restartInMs } = await nextExit();
      assert.deepEqual([exit, restartInMs], [{ code: 3, signal: null }, delayMs]);
      assert.equal(kept?.pid(), null);
      pass(delayMs - 1);
      assert.equal(starts, times + 1);
      pass(1);
      assert.equal(starts, times + 2);
    }
    await nextExit();
    assert.equal(lines().length, 8);
  });

  it("counts anew after a minute of health", async (t) => {
    const pass = stopTime(t);
    let now = 0;
    t.mock.method(performance, "now", () => now);
    keep("exit 1");
    assert.equal((await nextExit()).restartInMs, 1_000);
    pass(1_000);
    now += 59_999;
    assert.equal((await nextExit()).restartInMs, 2_000);
    pass(2_000);
    now += 60_000;
    assert.equal((await nextExit()).restartInMs, 1_000);
  });

  it("gives up where it should not be started again", async (t) => {
    const pass = stopTime(t);
    keep("exit 78", { shouldRestart: ({ code }) => code !== 78 });
    assert.deepEqual(await nextExit(), { exit: { code: 78, signal: null }, restartInMs: null });
    pass(1_000_000);
    assert.equal(starts, 1);
    await kept?.stop();
  });

  it("tells which signal ended it", async () => {
    keep("kill -KILL $$", { shouldRestart: () => false });
    assert.deepEqual((await nextExit()).exit, { code: null, signal: "SIGKILL" });
  });

  it("does not start it again once it was asked to stop, while it waits to do so", async (t) => {
    const pass = stopTime(t);
    keep("exit 1");
    await nextExit();
    await kept?.stop();
    pass(1_000_000);
    assert.equal(starts, 1);
  });

  it("asks it to stop, and resolves when it is gone, twice too", async () => {
    const told: unknown[] = [];
    keep("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.02; done", {
      onExit: (exit) => told.push(exit),
    });
    await until(() => lines().includes("up"), "its start");
    const pid = kept!.pid()!;
    await Promise.all([kept?.stop(), kept?.stop()]);
    assert.equal(identityOf(pid), null);
    assert.deepEqual(lines(), ["up", "bye"]);
    assert.deepEqual([kept?.pid(), told], [null, []]);
  });

  it("kills what does not stop within its limit", async () => {
    keep("trap '' TERM; echo up; while :; do sleep 0.02; done", { stopLimitMs: 100 });
    await until(() => lines().includes("up"), "its start");
    const pid = kept!.pid()!;
    await kept?.stop();
    assert.equal(identityOf(pid), null);
  });

  it("remembers the process while it runs", async () => {
    keep("echo up; while :; do sleep 0.02; done");
    await until(() => lines().includes("up"), "its start");
    assert.equal(rememberedProcess(pidFile)?.pid, kept?.pid());
    await kept?.stop();
    assert.ok(!existsSync(pidFile));
  });

  it("tells of a program that cannot be run, and tries again", async (t) => {
    const pass = stopTime(t);
    const command = tools.write("other", "exit 0");
    chmodSync(command, 0o644);
    keep("", { launch: { command, args: [], cwd: tools.folder, environment: {} } });
    assert.deepEqual(await nextExit(), { exit: { code: null, signal: null }, restartInMs: 1_000 });
    assert.equal(starts, 0);
    chmodSync(command, 0o755);
    pass(1_000);
    assert.equal((await nextExit()).exit.code, 0);
  });

  it("throws where its log cannot be written at the first start", () => {
    mkdirSync(logFile, { recursive: true });
    assert.throws(() => keep("exit 0"), { code: "EISDIR" });
  });

  it("tries again where its log cannot be written later", async (t) => {
    const pass = stopTime(t);
    keep("exit 1");
    await nextExit();
    renameSync(logFile, `${logFile}.old`);
    mkdirSync(logFile);
    const failed = nextExit();
    pass(1_000);
    assert.deepEqual(await failed, { exit: { code: null, signal: null }, restartInMs: 2_000 });
    rmdirSync(logFile);
    pass(2_000);
    assert.deepEqual(await nextExit(), { exit: { code: 1, signal: null }, restartInMs: 4_000 });
  });

  it("appends to its log, for our eyes only, and puts one aside that has become long", async (t) => {
    const pass = stopTime(t);
    keep("echo out; echo err >&2; exit 1");
    await nextExit();
    assert.equal(statSync(dirname(logFile)).mode & 0o777, 0o700);
    pass(1_000);
    await nextExit();
    assert.deepEqual(lines(), ["out", "err", "out", "err"]);
    truncateSync(logFile, 20_000_001);
    pass(2_000);
    await nextExit();
    assert.deepEqual(lines(), ["out", "err"]);
    assert.equal(statSync(`${logFile}.1`).size, 20_000_001);
  });

  it("goes on where the process cannot be remembered or forgotten", async () => {
    mkdirSync(dirname(pidFile), { recursive: true });
    writeFileSync(join(tools.folder, "run/file"), "");
    keep("echo up; exec sleep 60", { pidFile: join(tools.folder, "run/file/tool.json") });
    await until(() => lines().includes("up"), "its start");
    assert.notEqual(kept?.pid(), null);
    await kept?.stop();
  });
});
