import assert from "node:assert/strict";
import { chmodSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { findJavas, findProgram, requireJava, requireProgram } from "../../services/stack/find-tool.js";
import { type FakeTools, fakeTools } from "./fake-tools.js";

describe("finding tools", () => {
  let tools: FakeTools;
  beforeEach(() => (tools = fakeTools()));
  afterEach(() => tools.remove());

  it("takes the first program of the PATH that can be run, by its absolute path", () => {
    const { folder } = tools;
    const mvn = tools.write("mvn", "");
    mkdirSync(join(folder, "first/mvn"), { recursive: true });
    const PATH = `:${join(folder, "nowhere")}:${join(folder, "first")}:${join(folder, "bin")}`;
    assert.equal(findProgram("mvn", { PATH }), mvn);
    chmodSync(mvn, 0o644);
    assert.equal(findProgram("mvn", { PATH }), null);
    assert.equal(findProgram("mvn", {}), null);
  });

  it("says what a missing program is for", () => {
    assert.throws(() => requireProgram("mvn", "Kafka", tools.environment), {
      code: "TOOL_MISSING",
      message: "Kafka needs `mvn`, which is not on the PATH.",
    });
  });

  it("finds Javas, each once and the newest first, and asks those that do not say their version", () => {
    const jvms = join(tools.folder, "jvms");
    mkdirSync(jvms);
    for (const version of [17, 21])
      symlinkSync(tools.writeJava(version, "exit 1").JAVA_HOME, join(jvms, `java-${version}`));
    symlinkSync(join(jvms, "java-21"), join(jvms, "default"));
    const environment = { ...tools.environment, ...tools.writeJava(25, "exit 1") };
    tools.write("java", `echo 'openjdk version "19.0.2" 2023-01-17' >&2`);
    const versions = () => findJavas(environment, jvms).map(({ version }) => version);
    assert.deepEqual(versions(), [25, 21, 19, 17]);
    tools.write("java", "echo no java runtime present >&2; exit 1");
    rmSync(join(jvms, "java-17"));
    assert.deepEqual(versions(), [25, 21]);
    assert.deepEqual(findJavas(tools.environment, join(tools.folder, "nowhere")), []);
  });

  it("says which Java is missing", () => {
    const environment = { ...tools.environment, ...tools.writeJava(99, "") };
    assert.equal(requireJava(99, "Kafka", environment).version, 99);
    assert.throws(() => requireJava(100, "Kafka", environment), {
      code: "TOOL_MISSING",
      message: "Kafka needs Java 100 or newer; only 99 is in JAVA_HOME, on the PATH or in /usr/lib/jvm.",
    });
  });
});
