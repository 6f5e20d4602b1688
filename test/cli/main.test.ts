import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { createProgram } from "../../services/cli/program.js";
import { exitCodes } from "../../services/shared/errors.js";
import { freePort } from "./free-port.js";
import { runMillrace } from "./run-millrace.js";

const { commands } = createProgram(() => Promise.resolve());
const commandNames = commands.map((command) => command.name());

/** The help of the command, or of its own one that the example uses. */
function helpOf(name: string, example: string, help: string): string {
  const [, own] = example.split(" ");
  const command = commands.find((one) => one.name() === name)?.commands.find((one) => one.name() === own);
  return command?.helpInformation() ?? help;
}

/** A configuration whose every server is a port that nothing listens on. */
async function configOfNothing(folder: string): Promise<string> {
  const [port, poller, processor, sink, simulator] = await Promise.all(
    Array.from({ length: 5 }, () => freePort()),
  );
  const file = join(folder, "nothing.yaml");
  const url = `http://127.0.0.1:${port}`;
  writeFileSync(join(folder, "token"), "secret-of-influxdb\n");
  writeFileSync(
    file,
    `extract: { prometheus: { url: "${url}" } }
load: { influxdb: { url: "${url}", token_file: "${folder}/token" } }
kafka: { brokers: ["127.0.0.1:${port}"] }
registry: { url: "${url}" }
telemetry: { ports: { poller: ${poller}, processor: ${processor}, sink: ${sink}, simulator: ${simulator} } }
`,
  );
  return file;
}

describe("millrace", () => {
  let folder: string;
  let nothing: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "millrace-cli-"));
    nothing = await configOfNothing(folder);
  });
  after(() => rmSync(folder, { recursive: true }));

  it("explains itself, with all commands, exit codes and examples", async () => {
    const { exitCode, stdout, stderr } = await runMillrace(["--help"]);
    assert.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: "" });
    for (const name of commandNames) assert.match(stdout, new RegExp(`^ {2}${name}\\b`, "m"));
    for (const code of Object.values(exitCodes)) assert.match(stdout, new RegExp(`^ +${code} {2}\\w`, "m"));
    assert.match(stdout, /MILLRACE_CONFIG/);
  });

  it("explains every command, with an example that it would accept", async () => {
    for (const name of commandNames) {
      const { exitCode, stdout } = await runMillrace([name, "--help"]);
      assert.equal(exitCode, 0);
      const examples = [...stdout.matchAll(/^ {2}millrace (.+)$/gm)];
      assert.ok(examples.length > 0, name);
      for (const line of stdout.split("\n")) assert.ok(line.length <= 84, line);
      for (const [, example] of examples) {
        const used = [...example.split(" | ")[0].matchAll(/ (--[a-z-]+)/g)].map(([, option]) => option);
        for (const option of used) {
          assert.ok(
            helpOf(name, example, stdout.split("Examples:")[0]).includes(option) || option === "--config",
            `${name}: ${option}`,
          );
        }
      }
    }
  });

  it("knows its version", async () => {
    assert.match((await runMillrace(["--version"])).stdout, /^\d+\.\d+\.\d+\n$/);
  });

  for (const [args, expected] of [
    [["statu"], "USAGE_INVALID: unknown command 'statu' (Did you mean status?)"],
    [["tail"], "USAGE_INVALID: missing required argument 'topic'."],
    [["status", "--jsonn"], "USAGE_INVALID: unknown option '--jsonn' (Did you mean --json?)"],
    [["status", "--over", "soon"], "USAGE_INVALID: option '--over <seconds>' argument 'soon' is invalid."],
    [["tail", "metrics.raw", "--entity", "api"], 'USAGE_INVALID: "api" in --entity is no label'],
    [["tail", "metrics.raw", "--since", "often"], 'USAGE_INVALID: "often" in --since is no duration'],
    [["tail", "metrics.raw", "--since", "1h", "-b"], "USAGE_INVALID: --from-beginning and --since exclude"],
  ] as const) {
    it(`refuses \`${args.join(" ")}\` with one line and exit code 2`, async () => {
      const { exitCode, stdout, stderr } = await runMillrace(args, {
        environment: { MILLRACE_CONFIG: nothing },
      });
      assert.deepEqual({ exitCode, stdout }, { exitCode: 2, stdout: "" });
      assert.ok(stderr.startsWith(expected), stderr);
      assert.equal(stderr.trimEnd().split("\n").length, 1);
    });
  }

  it("without a command shows its help on standard error, exit code 2", async () => {
    const { exitCode, stdout, stderr } = await runMillrace([]);
    assert.deepEqual({ exitCode, stdout }, { exitCode: 2, stdout: "" });
    assert.match(stderr, /^Usage: millrace/);
  });

  it("refuses a configuration with one line that names file and line, exit code 78", async () => {
    const file = join(folder, "bad.yaml");
    writeFileSync(file, "kafka:\n  brokrs: []\n");
    for (const args of [["status"], ["topics"], ["tail", "metrics.raw"], ["simulator"], ["check"]]) {
      const { exitCode, stdout, stderr } = await runMillrace([...args, "--config", file]);
      assert.deepEqual({ args, exitCode, stdout }, { args, exitCode: 78, stdout: "" });
      assert.match(stderr, /^CONFIG_INVALID: .*bad\.yaml:2.*brokrs.*brokers/);
      assert.equal(stderr.trimEnd().split("\n").length, 1);
    }
  });

  it("finds the configuration by MILLRACE_CONFIG, and --config comes first", async () => {
    const environment = { MILLRACE_CONFIG: join(folder, "missing.yaml") };
    const missing = await runMillrace(["check", "--offline"], { environment });
    assert.equal(missing.exitCode, 78);
    assert.match(missing.stderr, /^CONFIG_UNREADABLE: .*missing\.yaml/);
    assert.equal(
      (await runMillrace(["check", "--offline", "--config", nothing], { environment })).exitCode,
      0,
    );
  });

  it("checks the configuration alone with --offline", async () => {
    const { exitCode, stdout } = await runMillrace(["check", "--offline", "--json", "-c", nothing]);
    assert.equal(exitCode, 0);
    assert.deepEqual(JSON.parse(stdout), {
      ok: true,
      checks: [{ name: "configuration", ok: true, detail: `${nothing} is valid` }],
    });
  });

  it("tells in JSON what is wrong with a configuration", async () => {
    const file = join(folder, "wrong.yaml");
    writeFileSync(file, "kafka: { partitions: 0 }\n");
    const { exitCode, stdout } = await runMillrace(["check", "--json", "-c", file]);
    assert.equal(exitCode, 78);
    const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: { code: string; detail: string }[] };
    assert.deepEqual([ok, checks.length, checks[0].code], [false, 1, "CONFIG_INVALID"]);
    assert.match(checks[0].detail, /partitions/);
  });

  it("checks every connection, and says of each what to do: nothing answers, exit code 69", async () => {
    const { exitCode, stdout } = await runMillrace(["check", "--json", "-c", nothing]);
    assert.equal(exitCode, 69);
    const { checks } = JSON.parse(stdout) as { checks: { name: string; code?: string; action?: string }[] };
    assert.deepEqual(
      checks.map(({ name, code }) => [name, code]),
      [
        ["configuration", undefined],
        ["secrets", undefined],
        ["prometheus", "PROM_UNAVAILABLE"],
        ["kafka", "KAFKA_UNAVAILABLE"],
        ["topics", "KAFKA_UNAVAILABLE"],
        ["registry", "REGISTRY_UNAVAILABLE"],
        ["influxdb", "INFLUX_UNAVAILABLE"],
      ],
    );
    for (const { action } of checks.slice(2)) assert.ok(action !== undefined && action.length > 10);
    const table = await runMillrace(["check", "-c", nothing]);
    assert.equal(table.exitCode, 69);
    assert.match(table.stdout, /^influxdb +failed +INFLUX_UNAVAILABLE: /m);
    assert.match(table.stdout, /^influxdb: Check load\.influxdb\.url/m);
    assert.doesNotMatch(table.stdout + stdout, /secret-of-influxdb/);
  });

  it("tells the status of a system that is down at once: exit code 69", async () => {
    const { exitCode, stdout } = await runMillrace(["status", "--json", "-c", nothing]);
    assert.equal(exitCode, 69);
    const report = JSON.parse(stdout) as { ready: boolean; samplesPerSecond: null; stages: object };
    assert.deepEqual([report.ready, report.samplesPerSecond], [false, null]);
    assert.deepEqual(Object.keys(report.stages), ["poller", "processor", "sink"]);
    const view = await runMillrace(["status", "-c", nothing]);
    assert.equal(view.exitCode, 69);
    // eslint-disable-next-line no-control-regex -- no colours where there is no terminal
    assert.doesNotMatch(view.stdout, /\u001b/);
  });

  it("says in one line that Kafka does not answer: exit code 69", async () => {
    for (const args of [["topics"], ["tail", "metrics.raw"]]) {
      const { exitCode, stderr } = await runMillrace([...args, "-c", nothing]);
      assert.equal(exitCode, 69);
      assert.match(stderr, /^KAFKA_UNAVAILABLE: .*kafka\.brokers.*\n$/);
    }
  });

  it("ends quietly when nobody reads its output any more", async () => {
    const main = fileURLToPath(new URL("../../services/cli/main.js", import.meta.url));
    const child = spawn(process.execPath, [main, "status", "--watch", "--json", "-c", nothing], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.once("data", () => child.stdout.destroy());
    const exitCode = await new Promise((resolve) => child.once("exit", resolve));
    assert.deepEqual({ exitCode, stderr }, { exitCode: 69, stderr: "" });
  });

  it("stops a service on SIGTERM with exit code 0", async () => {
    const main = fileURLToPath(new URL("../../services/cli/main.js", import.meta.url));
    const child = spawn(process.execPath, [main, "simulator", "-c", nothing], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    child.stderr.on("data", (chunk: Buffer) => {
      if (chunk.includes('"service.ready"')) child.kill("SIGTERM");
    });
    const exitCode = await new Promise((resolve) => child.once("exit", resolve));
    assert.equal(exitCode, 0);
  });
});
