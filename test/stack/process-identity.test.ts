import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { MillraceError } from "../../services/shared/errors.js";
import {
  type ProcessIdentity,
  identityOf,
  isRunning,
  rememberProcess,
  rememberedProcess,
  stopLeftover,
} from "../../services/stack/process-identity.js";
import { until } from "../sink/until.js";
import { type FakeTools, fakeTools } from "./fake-tools.js";

describe("the identity of a process", () => {
  let tools: FakeTools;
  let file: string;
  let children: ChildProcess[];
  beforeEach(() => {
    tools = fakeTools();
    file = join(tools.folder, "run", "a.json");
    children = [];
  });
  afterEach(() => {
    for (const child of children) child.kill("SIGKILL");
    tools.remove();
  });

  /** A process that says something once it is ready, and runs until its input ends or it is stopped. */
  const run = async (script: string, name = "tool") => {
    const child = spawn(tools.write(name, script), { stdio: ["pipe", "pipe", "inherit"] });
    children.push(child);
    const [said] = (await once(child.stdout, "data")) as [Buffer];
    return { child, pid: child.pid!, said: said.toString().trim() };
  };
  const waiting = "echo ready; read end";
  const write = (identity: unknown) => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(identity));
  };

  it("is its start and its command, whatever its name looks like", async () => {
    const before = identityOf(process.pid)!;
    const { pid } = await run(waiting, "od) Z 1 (");
    const identity = identityOf(pid)!;
    assert.equal(identity.pid, pid);
    assert.ok(Number(identity.startTime) >= Number(before.startTime));
    assert.deepEqual(identity.command.split("\0").slice(0, 2), [
      "/bin/sh",
      join(tools.folder, "bin/od) Z 1 ("),
    ]);
  });

  it("is none where there is no process, or where it waits to be reaped", async () => {
    // The shell becomes a program that never asks how its children ended.
    const { child, said } = await run("sleep 0 & echo $!; exec sleep 60");
    const pid = Number(said);
    await until(() => identityOf(pid) === null, "the zombie");
    assert.match(readFileSync(`/proc/${pid}/stat`, "utf8"), /\) Z /);
    assert.ok(isRunning(pid), "its pid is not free yet");
    child.kill("SIGKILL");
    await once(child, "exit");
    assert.equal(identityOf(child.pid!), null);
    assert.ok(!isRunning(child.pid!));
  });

  it("is remembered for our eyes only, until the process is gone", async () => {
    const { child, pid } = await run(waiting);
    rememberProcess(file, pid);
    assert.equal(statSync(dirname(file)).mode & 0o777, 0o700);
    assert.deepEqual(rememberedProcess(file), identityOf(pid));
    child.kill("SIGKILL");
    await once(child, "exit");
    assert.equal(rememberedProcess(file), null);
    assert.ok(!existsSync(file));
  });

  const others: Record<string, (identity: ProcessIdentity) => ProcessIdentity> = {
    "another start": (identity) => ({ ...identity, startTime: String(Number(identity.startTime) - 1) }),
    "another command": (identity) => ({ ...identity, command: `${identity.command}--more\0` }),
  };
  for (const [what, other] of Object.entries(others)) {
    it(`is not that of a pid that was used again, with ${what}, and is left alone`, async () => {
      const { child, pid } = await run(waiting);
      write(other(identityOf(pid)!));
      assert.equal(await stopLeftover(file), false);
      assert.ok(!existsSync(file));
      assert.deepEqual([child.exitCode, child.signalCode], [null, null]);
      assert.notEqual(identityOf(pid), null);
    });
  }

  it("is none in a file that says something else, or was cut short", () => {
    for (const text of ["", '{"pid":1', "null", "[]", '"x"', "{}"]) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
      assert.equal(rememberedProcess(file), null, text);
    }
  });

  it("cannot be remembered on a full disk, which is told as such", () => {
    mkdirSync(dirname(file), { recursive: true });
    symlinkSync("/dev/full", file);
    assert.throws(
      () => rememberProcess(file, process.pid),
      (error) => error instanceof MillraceError && error.code === "DISK_FULL" && error.message.includes(file),
    );
  });

  it("of a leftover that obeys: it is asked to stop", async () => {
    const { child, pid } = await run("trap 'exit 7' TERM; echo ready; while :; do sleep 0.02; done");
    rememberProcess(file, pid);
    const ended = once(child, "exit");
    assert.equal(await stopLeftover(file), true);
    assert.deepEqual(await ended, [7, null]);
    assert.ok(!existsSync(file));
    assert.equal(await stopLeftover(file), false);
  });

  it("of a leftover that does not obey: it is killed after a while", async () => {
    const { child, pid } = await run("trap '' TERM; echo ready; while :; do sleep 0.02; done");
    rememberProcess(file, pid);
    const ended = once(child, "exit");
    assert.equal(await stopLeftover(file, 200), true);
    assert.deepEqual(await ended, [null, "SIGKILL"]);
  });
});
