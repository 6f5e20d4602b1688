import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { MillraceError } from "../../services/shared/errors.js";
import { acquireServers, recipes } from "../../services/stack/acquire.js";
import { registryVersions } from "../../services/stack/acquire-registry.js";
import { installServer } from "../../services/stack/install-server.js";
import { identityOf } from "../../services/stack/process-identity.js";
import type { ServerName } from "../../services/stack/server-name.js";
import { until } from "../sink/until.js";
import { type FakeTools, fakeTools } from "./fake-tools.js";

/** Newer than any on the machine that runs the tests. */
const JAVA_VERSION = 99;

describe("acquiring servers", () => {
  let tools: FakeTools;
  let environment: Readonly<Record<string, string>>;
  let home: string;
  let progress: string[];
  let installed: ServerName[];
  let stopping: AbortController;
  beforeEach(() => {
    tools = fakeTools();
    environment = {
      ...tools.environment,
      ...tools.writeJava(JAVA_VERSION, ""),
      CALLS: join(tools.folder, "calls"),
    };
    home = join(tools.folder, "home");
    progress = [];
    installed = [];
    stopping = new AbortController();
  });
  afterEach(() => tools.remove());

  const acquire = (...servers: ServerName[]) =>
    acquireServers(servers, {
      home,
      environment,
      onProgress: (_, detail) => progress.push(detail),
      onInstalled: (server) => installed.push(server),
      signal: stopping.signal,
    });
  /** One server, whatever space there is. */
  const install = (server: ServerName) =>
    installServer({
      recipes: recipes[server](environment),
      serversFolder: join(home, "servers"),
      logsFolder: join(home, "logs"),
      environment,
      onProgress: (detail) => progress.push(detail),
      signal: stopping.signal,
      freeBytes: () => Infinity,
    });
  const failureOf = async (acquiring: Promise<unknown>): Promise<MillraceError> => {
    const error: unknown = await acquiring.catch((thrown: unknown) => thrown);
    assert.ok(error instanceof MillraceError, String(error));
    return error;
  };
  const calls = () =>
    existsSync(environment["CALLS"]) ? readFileSync(environment["CALLS"], "utf8").trim().split("\n") : [];
  const contents = (server: ServerName) => readdirSync(join(home, "servers", server)).toSorted();
  const version = (server: ServerName) =>
    (JSON.parse(readFileSync(join(home, "servers", server, "installed.json"), "utf8")) as { version: string })
      .version;

  it("takes Kafka's jars from Maven", async () => {
    tools.write(
      "mvn",
      'echo "$*" >> "$CALLS"; grep -q "<artifactId>kafka_2.13<" pom.xml && mkdir libs && touch libs/kafka.jar',
    );
    await acquire("kafka");
    assert.deepEqual(contents("kafka"), ["installed.json", "libs", "pom.xml"]);
    assert.match(calls()[0], /^-B \S+:copy-dependencies -DincludeScope=runtime -DoutputDirectory=libs$/);
    assert.deepEqual(installed, ["kafka"]);
    await acquire("kafka");
    assert.deepEqual([calls().length, installed], [1, ["kafka"]]);
  });

  it("takes the registry that the newest Java can run, without what the plugin leaves", async () => {
    tools.write("mvn", `echo "$*" >> "$CALLS"; mkdir -p '\${project.basedir}/target'; touch quarkus-run.jar`);
    await acquire("registry");
    assert.deepEqual(contents("registry"), ["installed.json", "quarkus-run.jar"]);
    assert.equal(version("registry"), registryVersions.current.version);
    assert.ok(
      calls()[0].includes(`apicurio-registry-app:${registryVersions.current.version}:tar.gz:all`),
      calls()[0],
    );
  });

  it("runs one Maven at a time", async () => {
    tools.write("mvn", 'mkdir "$HOME/lock" || exit 1; sleep 0.2; rmdir "$HOME/lock"');
    await acquire("registry", "kafka");
    assert.deepEqual(installed.toSorted(), ["kafka", "registry"]);
  });

  it("takes programs of the PATH, but an InfluxDB 1", () => {
    for (const program of ["prometheus", "node_exporter"]) tools.write(program, "");
    assert.deepEqual(recipes.prometheus(environment), []);
    assert.deepEqual(recipes["node-exporter"](environment), []);
    tools.write("influxd", "echo InfluxDB v1.8.10");
    assert.equal(recipes.influxdb(environment).length, 1);
    tools.write("influxd", "echo InfluxDB v2.7.12");
    assert.deepEqual(recipes.influxdb(environment), []);
  });

  describe("from Debian's packages", () => {
    /** What apt-get is told besides: where to keep its lists and packages. */
    const aptGet = `echo "$1 $2" >> "$CALLS"
      case "$*" in *"Dir::State::lists=$PWD/lists"*"Dir::Cache=$PWD/cache"*) ;; *) exit 9 ;; esac
      [ -d lists/partial ] && [ -d cache/archives/partial ] || exit 8
      if [ "$1" = download ]; then touch "$2_1_amd64.deb"; fi`;
    const dpkg =
      'mkdir -p unpacked/usr/bin; for p in prometheus promtool prometheus-node-exporter; do touch "unpacked/usr/bin/$p"; done';

    it("unpacks them, and leaves nothing else", async () => {
      tools.write("apt-get", aptGet);
      tools.write("dpkg-deb", dpkg);
      await acquire("prometheus", "node-exporter");
      assert.deepEqual(contents("prometheus"), ["installed.json", "prometheus", "promtool"]);
      assert.deepEqual(contents("node-exporter"), ["installed.json", "node_exporter"]);
      assert.equal(version("prometheus"), "debian");
      assert.deepEqual(
        calls().filter((call) => call.startsWith("download")),
        ["download prometheus", "download prometheus-node-exporter"],
      );
    });

    it("builds from source where there is no such package", async () => {
      tools.write(
        "apt-get",
        `${aptGet}; [ "$1" != download ] || { echo "E: Unable to locate package $2"; exit 100; }`,
      );
      tools.write("dpkg-deb", dpkg);
      tools.write("go", '[ "$GOFLAGS" = "" ] && touch "$GOBIN/node_exporter"');
      await acquire("node-exporter");
      assert.deepEqual(contents("node-exporter"), ["installed.json", "node_exporter"]);
      assert.match(version("node-exporter"), /^v1\./);
      assert.ok(
        progress.some((line) => line.includes("Unable to locate package") && line.includes(" Trying v1.")),
      );
    });

    it("says both where that cannot be done either", async () => {
      tools.write("apt-get", 'echo "E: Could not resolve deb.debian.org" >&2; exit 100');
      tools.write("dpkg-deb", dpkg);
      const { code, message } = await failureOf(acquire("prometheus"));
      assert.equal(code, "TOOL_MISSING");
      assert.match(
        message,
        /Could not resolve deb\.debian\.org .* Prometheus needs `go`, which is not on the PATH\.$/,
      );
    });

    it("says so where apt-get downloads nothing", async () => {
      tools.write("apt-get", "");
      tools.write("dpkg-deb", dpkg);
      tools.write("go", "echo no network; exit 1");
      await failureOf(acquire("prometheus"));
      assert.ok(progress.some((line) => line.includes("apt-get downloaded no prometheus")));
    });
  });

  it("builds Prometheus and promtool with Go, whatever flags the user has", async () => {
    environment = { ...environment, GOFLAGS: "-mod=vendor" };
    tools.write("go", 'echo "$* $GOFLAGS" >> "$CALLS"; touch "$GOBIN/prometheus" "$GOBIN/promtool"');
    assert.equal(await install("prometheus"), true);
    assert.deepEqual(contents("prometheus"), ["installed.json", "prometheus", "promtool"]);
    assert.match(calls()[0], /^install -v \S+\/cmd\/prometheus@v0\S+ \S+\/cmd\/promtool@v0\S+$/);
  });

  describe("InfluxDB", () => {
    const go = `echo "$* $RUSTUP_TOOLCHAIN" >> "$CALLS"
      case "$*" in
        "mod download"*) echo "go: downloading" >&2; mkdir -p "$HOME/source"; printf '{"Dir":"%s"}' "$HOME/source" ;;
        *pkg-config) touch "$3" ;;
        *) [ "$PWD" = "$HOME/source" ] && [ -x "$RUSTC_WRAPPER" ] && eval "[ -e $PKG_CONFIG ]" && touch "\${5#-o=}" ;;
      esac`;
    const writeAll = () => {
      tools.write("go", go);
      for (const tool of ["cargo", "gcc", "pkg-config"]) tools.write(tool, "");
    };

    it("is built in its module's folder, with the Rust that is installed", async () => {
      writeAll();
      tools.write("rustup", '[ "$*" = "show active-toolchain" ] && echo "stable-x86_64 (default)"');
      assert.equal(await install("influxdb"), true);
      assert.deepEqual(contents("influxdb"), ["influxd", "installed.json"]);
      assert.equal(calls().length, 3);
      for (const call of calls().slice(1)) assert.match(call, /^build .* stable-x86_64$/);
    });

    it("is not begun where one of its tools is missing", async () => {
      writeAll();
      const names = ["go", "cargo", "gcc", "pkg-config"];
      for (const name of names) {
        const others = join(tools.folder, `without ${name}`);
        mkdirSync(others);
        for (const other of names.filter((each) => each !== name))
          symlinkSync(join(environment["PATH"], other), join(others, other));
        const { code, message } = await failureOf(
          acquireServers(["influxdb"], {
            home,
            environment: { ...environment, PATH: others },
            onProgress: () => undefined,
            onInstalled: () => undefined,
            signal: stopping.signal,
          }),
        );
        assert.deepEqual(
          [code, message],
          ["TOOL_MISSING", `InfluxDB needs \`${name}\`, which is not on the PATH.`],
        );
      }
      assert.deepEqual(calls(), []);
    });
  });

  it("misses a tool at once, before it builds anything else", async () => {
    tools.write("mvn", 'echo "$*" >> "$CALLS"');
    const { code, message } = await failureOf(acquire("kafka", "prometheus"));
    assert.deepEqual([code, message], ["TOOL_MISSING", "Prometheus needs `go`, which is not on the PATH."]);
    assert.deepEqual([calls(), existsSync(join(home, "servers"))], [[], false]);
  });

  it("stops the others when one fails, and leaves nothing of either", async () => {
    tools.write("mvn", 'echo $$ > "$HOME/mvn"; sleep 60');
    tools.write("go", 'while [ ! -s "$HOME/mvn" ]; do sleep 0.02; done; echo "no network"; exit 1');
    const { code, message } = await failureOf(acquire("kafka", "registry", "node-exporter"));
    assert.equal(code, "SERVER_BUILD_FAILED");
    assert.match(message, /^node exporter: `go install` ended with 1: no network/);
    assert.equal(identityOf(Number(readFileSync(join(home, "mvn"), "utf8"))), null);
    assert.deepEqual([readdirSync(join(home, "servers")), installed], [[], []]);
  });

  it("stops where it is interrupted", async () => {
    tools.write("mvn", "echo downloading; sleep 60");
    const acquiring = acquire("kafka");
    acquiring.catch(() => undefined);
    await until(() => progress.length === 1, "Maven");
    stopping.abort(new Error("enough"));
    await assert.rejects(acquiring, /enough/);
    assert.deepEqual(readdirSync(join(home, "servers")), []);
  });
});
