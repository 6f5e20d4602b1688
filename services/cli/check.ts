import { imputationPlan } from "../processor/imputation-plan.js";
import type { Config } from "../shared/config-schema.js";
import { loadConfig, secretFileProblems } from "../shared/config.js";
import { asMillraceError, exitCodeOf, exitCodes } from "../shared/errors.js";
import { DEFAULT_SOURCE } from "../shared/source-name.js";
import { readSources } from "../shared/sources.js";
import { createKafka } from "../shared/kafka.js";
import { createLogger } from "../shared/telemetry.js";
import { checkInflux, checkKafka, checkPrometheus, checkRegistry, checkTopics } from "./connection-checks.js";
import type { Paint, Terminal } from "./terminal.js";
import { textTable } from "./text-table.js";

export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  /** What was found, or what is wrong. */
  readonly detail: string;
  readonly code?: string;
  /** What to do. */
  readonly action?: string;
  /** What the command's exit code would be for this alone. */
  readonly exitCode: number;
}

export async function runCheck(
  file: string,
  options: { offline?: boolean; json?: boolean },
  terminal: Terminal,
): Promise<number> {
  const json = options.json === true;
  const results = await runChecks(file, options.offline === true, json);
  if (json) {
    const checks = results.map(({ name, ok, detail, code, action }) => ({ name, ok, detail, code, action }));
    await terminal.print(JSON.stringify({ ok: results.every(({ ok }) => ok), checks }, null, 2));
  } else {
    for (const line of checkView(results, terminal.paint)) await terminal.print(line);
  }
  return exitCodeOfChecks(results);
}

async function runChecks(file: string, offline: boolean, json: boolean): Promise<CheckResult[]> {
  let config: Config;
  try {
    config = loadConfig(file);
  } catch (error) {
    // A person is told in one line, as by every other command; a machine in the shape that it asked for.
    if (!json) throw error;
    return [failed("configuration", error)];
  }
  const configuration = {
    name: "configuration",
    ok: true,
    detail: `${file} is valid`,
    exitCode: exitCodes.ok,
  };
  const model =
    config.transform.imputation.method === "onnx" ? [await check("model", () => modelFits(config))] : [];
  return [configuration, ...model, ...(offline ? [] : await checkConnections(config))];
}

/** Loads it, as the processor does. */
function modelFits(config: Config): Promise<string> {
  imputationPlan(config);
  const { model_path, model_columns } = config.transform.imputation;
  return Promise.resolve(`${model_path} takes tables of ${model_columns?.length} columns`);
}

async function checkConnections(config: Config): Promise<CheckResult[]> {
  const kafka = createKafka(config, "check", createLogger("check", "silent"), 0);
  return Promise.all([
    check("secrets", () => Promise.resolve(secretsFound(config))),
    ...Array.from(readSources(config.extract), ([name, settings]) =>
      check(name === DEFAULT_SOURCE ? "prometheus" : `prometheus ${name}`, () => checkPrometheus(settings)),
    ),
    check("kafka", () => checkKafka(kafka, config)),
    check("topics", () => checkTopics(kafka, config)),
    check("registry", () => checkRegistry(config)),
    check("influxdb", () => checkInflux(config)),
  ]);
}

/** Never a failure: who needs a secret tells if it cannot be read, and who else may read it is for a person to judge. */
function secretsFound(config: Config): string {
  const problems = secretFileProblems(config).map(({ path, message }) => `${path}: ${message}`);
  return problems.length === 0 ? "only their owner can read their files" : problems.join("; ");
}

async function check(name: string, attempt: () => Promise<string>): Promise<CheckResult> {
  try {
    return { name, ok: true, detail: await attempt(), exitCode: exitCodes.ok };
  } catch (error) {
    return failed(name, error);
  }
}

function failed(name: string, thrown: unknown): CheckResult {
  const { code, message, action } = asMillraceError(thrown);
  return { name, ok: false, detail: message, code, action, exitCode: exitCodeOf(thrown) };
}

/** What must be corrected comes before what may pass. */
export function exitCodeOfChecks(results: readonly CheckResult[]): number {
  const codes = results.map(({ exitCode }) => exitCode);
  if (codes.includes(exitCodes.internal)) return exitCodes.internal;
  if (codes.includes(exitCodes.configuration)) return exitCodes.configuration;
  return Math.max(...codes);
}

export function checkView(results: readonly CheckResult[], paint: Paint): string[] {
  const table = textTable(
    [{ title: "CHECK" }, { title: "RESULT" }, { title: "DETAIL" }],
    results.map(({ name, ok, detail, code }) => [
      name,
      ok ? paint("green", "ok") : paint("red", "failed"),
      code === undefined ? detail : `${code}: ${detail}`,
    ]),
  );
  const [heading, ...rows] = table;
  const actions = results.flatMap(({ name, action }) => (action === undefined ? [] : [`${name}: ${action}`]));
  return [paint("dim", heading), ...rows, ...(actions.length === 0 ? [] : ["", "What to do:", ...actions])];
}
