import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { MillraceError } from "../../services/shared/errors.js";
import {
  type InstallOptions,
  type Recipe,
  installServer,
  installedVersion,
  requireTools,
} from "../../services/stack/install-server.js";
import { until } from "../sink/until.js";
import { type FakeTools, fakeTools } from "./fake-tools.js";

describe("installServer", () => {
  let tools: FakeTools;
  let serversFolder: string;
  let logsFolder: string;
  let progress: string[];
  let stopping: AbortController;
  beforeEach(() => {
    tools = fakeTools();
    serversFolder = join(tools.folder, "home/servers");
    logsFolder = join(tools.folder, "home/logs");
    progress = [];
    stopping = new AbortController();
  });
  afterEach(() => tools.remove());

  const recipe = (changes: Partial<Recipe> = {}): Recipe => ({
    server: "prometheus",
    version: "1",
    bytes: 1_000_000,
    requireTools: () => undefined,
    install: async ({ folder, run }) => {
      writeFileSync(join(folder, "begun"), "");
      await run("build", []);
    },
    ...changes,
  });
  /** Without space that is told: as measured. */
  const options = (
    recipes: Recipe[],
    environment = tools.environment,
    space: Pick<InstallOptions, "freeBytes"> = { freeBytes: () => Infinity },
  ): InstallOptions => ({
    recipes,
    serversFolder,
    logsFolder,
    environment,
    onProgress: (detail) => progress.push(detail),
    signal: stopping.signal,
    ...space,
  });
  const failureOf = async (installing: Promise<boolean>): Promise<MillraceError> => {
    const error: unknown = await installing.catch((thrown: unknown) => thrown);
    assert.ok(error instanceof MillraceError, String(error));
    return error;
  };
  const missing = (tool: string) => () => {
    throw new MillraceError("TOOL_MISSING", `Prometheus needs \`${tool}\`.`);
  };
  const assertNothingThere = () => {
    assert.equal(installedVersion("prometheus", serversFolder), null);
    assert.deepEqual(existsSync(serversFolder) ? readdirSync(serversFolder) : [], []);
  };
  const installed = () => installedVersion("prometheus", serversFolder);

  it("installs once, for our eyes only, and tells what it does", async () => {
    tools.write("build", "echo building; echo x > prometheus");
    assert.equal(await installServer(options([recipe()])), true);
    assert.equal(installed(), "1");
    assert.deepEqual(progress, ["building"]);
    assert.deepEqual(readdirSync(serversFolder), ["prometheus"]);
    assert.deepEqual(readdirSync(join(serversFolder, "prometheus")).toSorted(), [
      "begun",
      "installed.json",
      "prometheus",
    ]);
    for (const folder of [serversFolder, logsFolder]) assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.match(readFileSync(join(logsFolder, "acquire-prometheus.log"), "utf8"), /^\$ build\nbuilding\n$/);

    tools.write("build", "exit 1");
    assert.equal(await installServer(options([recipe()])), false);
    assert.equal(await installServer(options([recipe({ version: "2" }), recipe()])), false);
    assert.equal(await installServer(options([])), false);
  });

  it("replaces another version, wholly", async () => {
    tools.write("build", "echo x > old");
    await installServer(options([recipe()]));
    tools.write("build", "echo x > new");
    assert.equal(await installServer(options([recipe({ version: "2" })])), true);
    assert.equal(installed(), "2");
    assert.ok(!existsSync(join(serversFolder, "prometheus/old")));
  });

  it("keeps the version that is there where a newer one fails", async () => {
    tools.write("build", "echo x > prometheus");
    await installServer(options([recipe()]));
    tools.write("build", "exit 1");
    await failureOf(installServer(options([recipe({ version: "2" })])));
    assert.equal(installed(), "1");
    assert.deepEqual(readdirSync(serversFolder), ["prometheus"]);
  });

  it("leaves nothing where a tool fails", async () => {
    tools.write("build", "echo half > prometheus; echo '[ERROR] no network'; exit 1");
    const { code, message } = await failureOf(installServer(options([recipe()])));
    assert.equal(code, "SERVER_BUILD_FAILED");
    assert.match(
      message,
      /^Prometheus: `build` ended with 1: \[ERROR\] no network \(log: .*acquire-prometheus/,
    );
    assertNothingThere();
  });

  it("leaves nothing where the recipe itself fails, and says why", async () => {
    const install = () => Promise.reject(new Error("apt-get downloaded no prometheus"));
    const { code, message } = await failureOf(installServer(options([recipe({ install })])));
    assert.equal(code, "SERVER_BUILD_FAILED");
    assert.match(message, /^Prometheus: apt-get downloaded no prometheus \(log: /);
    assertNothingThere();
  });

  it("leaves nothing where it is interrupted", async () => {
    tools.write("build", "echo half > prometheus; echo building; sleep 60");
    const installing = installServer(options([recipe(), recipe({ version: "2" })]));
    installing.catch(() => undefined);
    await until(() => progress.length === 1, "the tool");
    stopping.abort(new Error("enough"));
    await assert.rejects(installing, /enough/);
    assertNothingThere();
  });

  it("takes nothing for finished that a killed run left, and removes it", async () => {
    const gone = spawn("true");
    await once(gone, "exit");
    const abandoned = [`prometheus.tmp-${gone.pid}`, `prometheus.tmp-${process.pid}`];
    const others = [`prometheus.tmp-${process.ppid}`, `kafka.tmp-${gone.pid}`];
    for (const folder of [...abandoned, ...others]) {
      mkdirSync(join(serversFolder, folder), { recursive: true });
      writeFileSync(join(serversFolder, folder, "prometheus"), "half");
    }
    assert.equal(installed(), null);
    tools.write("build", "echo x > prometheus");
    assert.equal(await installServer(options([recipe()])), true);
    assert.deepEqual(readdirSync(serversFolder).toSorted(), [...others, "prometheus"].toSorted());
  });

  for (const [what, stamp] of Object.entries({
    none: null,
    "one cut short": '{"server":"prom',
    null: "null",
  })) {
    it(`takes a folder for unfinished whose stamp is ${what}`, async () => {
      mkdirSync(join(serversFolder, "prometheus"), { recursive: true });
      if (stamp !== null) writeFileSync(join(serversFolder, "prometheus/installed.json"), stamp);
      assert.equal(installed(), null);
      tools.write("build", "echo x > prometheus");
      assert.equal(await installServer(options([recipe()])), true);
      assert.equal(installed(), "1");
    });
  }

  it("leaves alone what another run has installed meanwhile", async () => {
    const quicker = join(serversFolder, "prometheus");
    const install = async () => {
      mkdirSync(quicker);
      await writeFile(join(quicker, "quicker"), "");
      await writeFile(join(quicker, "installed.json"), '{"version":"1"}');
    };
    assert.equal(await installServer(options([recipe({ install })])), true);
    assert.deepEqual(readdirSync(quicker).toSorted(), ["installed.json", "quicker"]);
    assert.deepEqual(readdirSync(serversFolder), ["prometheus"]);
  });

  describe("on a full disk", () => {
    it("says so before anything is done, for the servers' disk and that of the tools' caches", async () => {
      tools.write("build", "touch begun");
      for (const [full, free] of [
        [serversFolder, 999_999],
        [tools.environment["HOME"], 400_000],
      ] as const) {
        const freeBytes = (folder: string) => (folder === full ? free : Infinity);
        const { code, message } = await failureOf(
          installServer(options([recipe()], tools.environment, { freeBytes })),
        );
        assert.equal(code, "DISK_FULL");
        const megabytes = Math.round(free / 1e6);
        assert.equal(
          message,
          `Prometheus needs 1 MB on the disk that holds ${full}; ${megabytes} MB are free.`,
        );
      }
      assertNothingThere();
    });

    it("measures the disk of a folder that is not there yet", async () => {
      tools.write("build", "");
      const environment = { ...tools.environment, HOME: join(tools.folder, "no/home/yet") };
      const measured = options([recipe({ bytes: 1 })], environment, {});
      assert.equal(await installServer(measured), true);
      const error = await failureOf(
        installServer({ ...measured, recipes: [recipe({ version: "2", bytes: 1e18 })] }),
      );
      assert.equal(error.code, "DISK_FULL");
    });

    it("says so where the recipe or its tool finds out, and tries no other", async () => {
      const second = recipe({ version: "2" });
      tools.write("build", "cat /bin/sh > /dev/full");
      const ofTool = await failureOf(installServer(options([recipe(), second])));
      assert.deepEqual([ofTool.code, progress.filter((line) => line.includes("Trying"))], ["DISK_FULL", []]);
      const install = async () => writeFile("/dev/full", "x");
      const ofRecipe = await failureOf(installServer(options([recipe({ install }), second])));
      assert.equal(ofRecipe.code, "DISK_FULL");
      assert.equal(ofRecipe.message, `Prometheus: the disk that holds ${serversFolder} is full.`);
      assertNothingThere();
    });
  });

  describe("of several recipes", () => {
    it("tries the next where one fails, and says so", async () => {
      tools.write("build", "[ -e ../../prefer-second ] || { touch ../../prefer-second; exit 1; }");
      assert.equal(await installServer(options([recipe(), recipe({ version: "2" })])), true);
      assert.equal(installed(), "2");
      assert.match(progress.at(-1) ?? "", /ended with 1.* Trying 2\.$/);
    });

    it("tries the next where one has not its tools", async () => {
      tools.write("build", "");
      const recipes = [recipe({ requireTools: missing("apt-get") }), recipe({ version: "2" })];
      requireTools(options(recipes));
      assert.equal(await installServer(options(recipes)), true);
      assert.equal(installed(), "2");
    });

    it("tells what failed besides the tool that is missing then", async () => {
      tools.write("build", "exit 1");
      const recipes = [recipe(), recipe({ version: "2", requireTools: missing("go") })];
      const { code, message } = await failureOf(installServer(options(recipes)));
      assert.equal(code, "TOOL_MISSING");
      assert.match(message, /^Prometheus: `build` ended with 1: .* Prometheus needs `go`\.$/);
    });

    it("needs the tools of one of them, or none where it is there", async () => {
      const recipes = [
        recipe({ requireTools: missing("a") }),
        recipe({ version: "2", requireTools: missing("b") }),
      ];
      assert.throws(() => requireTools(options(recipes)), /needs `b`/);
      requireTools(options([...recipes, recipe({ version: "3" })]));
      requireTools(options([]));
      tools.write("build", "");
      await installServer(options([recipe({ version: "2" })]));
      requireTools(options(recipes));
    });
  });
});
