import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { createProgram } from "../services/cli/program.js";
import { WRITE_PATH } from "../services/poller/remote-write/write-server.js";
import { parseConfig } from "../services/shared/config.js";
import { topics } from "../services/shared/topics.js";
import { runMillrace } from "./cli/run-millrace.js";

const readme = readFileSync("README.md", "utf8");

/** The texts of the fenced blocks after a mark, up to the next heading. */
function blocksAfter(mark: string): string[] {
  const start = readme.indexOf(mark);
  assert.ok(start >= 0, mark);
  const section = readme.slice(start).split(/\n## /)[0];
  return [...section.matchAll(/```\w*\n(.*?)```/gs)].map(([, text]) => text);
}

describe("README.md", () => {
  for (const file of ["test/client/subscribe-example.ts", "test/client/plain-kafka-example.ts"]) {
    it(`shows ${file}, which a test runs, as it is`, () => {
      assert.equal(blocksAfter(`<!-- ${file} -->`)[0], readFileSync(file, "utf8"));
    });
  }

  it("lists all topics with their keys", () => {
    const rows = [...readme.matchAll(/^\| `([a-z.]+)` +\| ([a-z ]+?) +\|/gm)].map(([, name, key]) => [
      name,
      key,
    ]);
    assert.deepEqual(
      rows,
      Object.values(topics).map(({ name, key }) => [name, key]),
    );
  });

  it("gives commands and options that the program has", () => {
    const program = createProgram(() => Promise.resolve());
    const used = [...readme.matchAll(/millrace ((?:[a-z]+|--[a-z-]+)(?: [^`|#\n]*)?)/g)].map(
      ([, text]) => text,
    );
    assert.ok(used.length >= 8);
    for (const text of used) {
      const [name] = text.split(" ");
      const options = [...text.matchAll(/(?<= )--[a-z-]+/g)].map(([option]) => option);
      if (name.startsWith("--")) continue;
      const command = program.commands.find((candidate) => candidate.name() === name);
      assert.ok(command !== undefined, text);
      for (const option of options)
        assert.ok(option === "--help" || command.options.some(({ long }) => long === option), text);
    }
  });

  it("has Prometheus write to where the receiver listens by default", () => {
    const config = parseConfig("extract: { remote_write: { enabled: true } }", "README.md");
    const { host, port } = config.extract.remote_write;
    assert.match(
      blocksAfter("<!-- remote write -->")[0],
      new RegExp(`url: http://${host}:${port}${WRITE_PATH}\n`),
    );
  });

  it("gives variables that name keys of the configuration, and a configuration that is valid", () => {
    const section = "## Your own Prometheus, Kafka and InfluxDB";
    const [shell, yaml] = blocksAfter(section);
    const exported = [...shell.matchAll(/^export (\w+)='?(.*?)'?$/gm)];
    const environment = Object.fromEntries(exported.map(([, name, value]) => [name, value]));
    assert.equal(Object.keys(environment).length, 5);
    const config = parseConfig(yaml, "README.md", environment);
    assert.equal(config.kafka.brokers.length, 2);
    assert.deepEqual(config.entities, { service: ["namespace", "service"] });

    const { extract } = parseConfig(blocksAfter("<!-- sources -->")[0], "README.md");
    assert.deepEqual(Object.keys(extract.sources), [extract.jobs["eu"].source]);
  });

  it("shows what `millrace process` prints", async () => {
    const [shell, shown] = blocksAfter("<!-- process -->");
    const input = [...shell.matchAll(/'(\{.*\})'/g)].map(([, line]) => `${line}\n`).join("");
    const args = ["process", "--input", "-", "--output", "-"];
    assert.ok(shell.includes(`npx millrace ${args.join(" ")} |`));
    const { stdout, exitCode } = await runMillrace(args, { input });
    assert.equal(exitCode, 0);
    const rows = stdout
      .trim()
      .split("\n")
      .flatMap((line) => (JSON.parse(line) as { rows: Record<string, unknown>[] }).rows)
      .map(({ metric, value, mean_5m, std_5m }) => `${JSON.stringify({ metric, value, mean_5m, std_5m })}\n`);
    assert.equal(rows.join(""), shown);
  });

  it("shows what `millrace explain` prints", () => {
    const [shell, shown] = blocksAfter("<!-- explain -->");
    assert.ok(shell.includes("npx millrace explain "));
    const command = shell.replace("npx millrace", `"${process.execPath}" dist/services/cli/main.js`);
    assert.equal(execFileSync("sh", ["-c", command], { encoding: "utf8" }), shown);
  });

  it("links to files that exist", () => {
    const links = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link);
    assert.ok(links.length > 0);
    for (const link of links) assert.ok(existsSync(link), link);
  });
});
