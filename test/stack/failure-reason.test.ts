import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { isDiskFull, isToolError, reasonIn, saysDiskFull } from "../../services/stack/failure-reason.js";

describe("isToolError", () => {
  for (const line of [
    "[ERROR] Failed to execute goal",
    "E: Unable to locate package prometheus",
    '"Error": "module lookup disabled"',
    "error: linking with `cc` failed",
    "error[E0463]: can't find crate",
    "fatal: not a git repository",
  ])
    it(`knows ${line}`, () => assert.ok(isToolError(line)));

  for (const line of [
    "[INFO] no error: all is well",
    "Compiling thiserror v1.0",
    "W: Download is performed",
    "",
  ])
    it(`does not take ${JSON.stringify(line)} for one`, () => assert.ok(!isToolError(line)));
});

describe("reasonIn", () => {
  it("is the last error, not how the server shut down after it", () => {
    const lines = [
      "2026-01-01T00:00:00Z ERROR Old: not this one",
      "2026-01-01T00:00:01Z FATAL Exiting Kafka: the port is taken",
      "java.net.BindException: Address already in use",
      "\tat java.base/sun.nio.ch.Net.bind0(Native Method)",
      "\t... 12 more",
      "2026-01-01T00:00:02Z INFO shut down completed",
    ];
    assert.equal(reasonIn(lines), "java.net.BindException: Address already in use");
    assert.equal(
      reasonIn(lines.toSpliced(2, 1)),
      "2026-01-01T00:00:01Z FATAL Exiting Kafka: the port is taken",
    );
  });

  it("knows the errors of Go programs", () => {
    assert.equal(reasonIn(['ts=1 level=error err="no wal"', "bye"]), 'ts=1 level=error err="no wal"');
    assert.equal(reasonIn(["Error: invalid argument", "See --help"]), "Error: invalid argument");
    assert.equal(reasonIn(["panic: nil map", "goroutine 1"]), "panic: nil map");
  });

  it("is the last line where none is an error, without a stack's frames", () => {
    assert.equal(reasonIn(["one", "  two ", "    at main(a.js:1)"]), "two");
    assert.equal(reasonIn(["\tat a.B.c(B.java:1)"]), "at a.B.c(B.java:1)");
    assert.equal(reasonIn([]), null);
  });
});

describe("a full disk", () => {
  it("is told by the system's error", () => {
    assert.throws(
      () => writeFileSync("/dev/full", "x"),
      (error) => isDiskFull(error),
    );
    assert.throws(
      () => writeFileSync("/nowhere/at/all", "x"),
      (error) => !isDiskFull(error),
    );
    assert.ok(!isDiskFull(new Error("ENOSPC")));
  });

  it("is told by a program's words", () => {
    assert.ok(saysDiskFull("cp: error writing 'x': No space left on device"));
    assert.ok(saysDiskFull("write x: disk quota exceeded"));
    assert.ok(!saysDiskFull("space left: 12 GB"));
  });
});
