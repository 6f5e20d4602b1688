#!/usr/bin/env node
// What `npm start` and `npm test` call on a fresh clone: packages, patches, compilation; then the program itself.
// Plain JavaScript without packages, since there are none yet.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { URL, fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const packagesFolder = join(root, "node_modules");
const stampFile = join(packagesFolder, ".millrace-packages");
const exitCodes = { failure: 1, usage: 2, configuration: 78 };

const [mode, ...args] = process.argv.slice(2);
if (mode !== "up" && mode !== "test") {
  fail(
    exitCodes.usage,
    "USAGE_INVALID: setup.mjs is called with `up` or `test`; use `npm start` or `npm test`.",
  );
}
process.chdir(root);
requireNode();
installPackages();
compile();
const program = mode === "up" ? "dist/services/cli/main.js" : "dist/test/run.js";
// In this process: signals, exit code and terminal are the program's own.
process.argv = [process.argv[0], join(root, program), ...(mode === "up" ? ["up"] : []), ...args];
await import(pathToFileURL(join(root, program)).href);

function requireNode() {
  const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const wanted = engines.node.replace(">=", "");
  const [wantedParts, parts] = [wanted, process.versions.node].map((text) => text.split(".").map(Number));
  const different = wantedParts.findIndex((part, i) => part !== parts[i]);
  if (different !== -1 && parts[different] < wantedParts[different]) {
    fail(
      exitCodes.failure,
      `TOOL_MISSING: Node ${wanted} or newer is needed; this is ${process.versions.node}. Install it, then start again.`,
    );
  }
}

function installPackages() {
  // A link: whoever made it sees to the packages.
  if (lstatSync(packagesFolder, { throwIfNoEntry: false })?.isSymbolicLink()) return;
  const stamp = packagesStamp();
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
  step("packages", () => {
    // Scripts of packages are not run, the patches are applied by name: the same whatever npm's settings are.
    const npm = process.env["npm_execpath"];
    const install = ["ci", "--ignore-scripts", "--include=dev"];
    if (npm?.endsWith(".js")) run(process.execPath, [npm, ...install]);
    else run("npm", install);
    run(process.execPath, [join(packagesFolder, "patch-package/index.js"), "--error-on-fail"]);
  });
  // Types may have changed under sources that did not.
  rmSync(join(root, "dist/.tsbuildinfo"), { force: true });
  writeFileSync(stampFile, stamp);
}

/** Another lock, other patches, or another Node: other packages. */
function packagesStamp() {
  const hash = createHash("sha256").update(process.version);
  const patches = readdirSync(join(root, "patches")).map((name) => join("patches", name));
  for (const file of ["package-lock.json", ...patches.toSorted()]) {
    hash.update(file).update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}

function compile() {
  const compiler = [join(packagesFolder, "typescript/bin/tsc"), "--build"];
  if (mode === "up") {
    step("compile", () => run(process.execPath, compiler), { quietBelowMs: 5_000 });
    return;
  }
  step("types", () => run(process.execPath, compiler), { lastLine: "0 passed, 1 failed" });
}

/** Says what is done and how long it took. */
function step(name, work, { quietBelowMs = 0, lastLine } = {}) {
  const startedAt = performance.now();
  if (quietBelowMs === 0) process.stderr.write(`${name} ...\n`);
  try {
    work();
  } catch (error) {
    if (lastLine !== undefined) process.stdout.write(`${lastLine}\n`);
    fail(exitCodes.failure, error.message);
  }
  const elapsedMs = performance.now() - startedAt;
  if (elapsedMs >= quietBelowMs) process.stderr.write(`${name} done in ${(elapsedMs / 1000).toFixed(1)} s\n`);
}

function run(command, commandArgs) {
  const { status, signal, error } = spawnSync(command, commandArgs, { cwd: root, stdio: ["ignore", 2, 2] });
  if (error?.code === "ENOENT")
    throw new Error(`TOOL_MISSING: \`${command}\` is not on the PATH. Install it.`);
  if (signal !== null) process.exit(130);
  if (status !== 0) throw new Error(`\`${command} ${commandArgs.join(" ")}\` ended with ${status}.`);
}

function fail(exitCode, line) {
  process.stderr.write(`${line}\n`);
  process.exit(exitCode);
}
