import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { z } from "zod";
import { applyEnvironment } from "./config-environment.js";
import { type PlaceOf, invalid, pathText, placeText, problemsOf } from "./config-problems.js";
import { type Path, type RuleContext, checkConfig, checkPipelines, startsWith } from "./config-rules.js";
import { type Config, type Pipelines, etlSchema, pipelineSchema } from "./config-schema.js";
import { type SchemaNode, isPlainObject, nodeAt, schemaTree } from "./config-words.js";
import { readYaml } from "./config-yaml.js";
import { MillraceError } from "./errors.js";

export const defaultConfigFile = "config/etl_config.yaml";
export const defaultPipelinesFile = "config/pipeline_config.yaml";

/** A configuration is read whole into memory. */
const FILE_BYTES_MAX = 500_000;

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads, overrides from the environment, validates. Throws CONFIG_UNREADABLE or CONFIG_INVALID with file and line. */
export function loadConfig(file = process.env["MILLRACE_CONFIG"] ?? defaultConfigFile): Config {
  return parseConfig(readText(file), file, process.env);
}

/** The schedules of the orchestrator, read like the configuration. */
export function loadPipelines(file = defaultPipelinesFile): Pipelines {
  return parsePipelines(readText(file), file, process.env);
}

function readText(file: string): string {
  try {
    if (statSync(file).size <= FILE_BYTES_MAX) return readFileSync(file, "utf8");
  } catch (error) {
    throw new MillraceError("CONFIG_UNREADABLE", `${file} cannot be read (${reason(error)}).`, {
      cause: error,
    });
  }
  throw new MillraceError("CONFIG_UNREADABLE", `${file} is larger than ${FILE_BYTES_MAX} bytes.`);
}

function reason(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

/** Rules that look across keys run beside other problems, so that all are told at once. */
const withRules = <Schema extends z.ZodType>(
  schema: Schema,
  check: (value: z.output<Schema>, context: RuleContext) => void,
) =>
  schema.superRefine(
    (value, context) => {
      const bad = context.issues
        .filter(({ code }) => code !== "unrecognized_keys")
        .map(({ path }) => path ?? []);
      const sound = (path: Path) => !bad.some((other) => startsWith(path, other));
      const report = (path: Path, message: string) =>
        context.addIssue({ code: "custom", path: [...path], message });
      if (sound([])) check(value, { sound, report });
    },
    { when: () => true },
  );

const configuration = { schema: withRules(etlSchema, checkConfig), tree: schemaTree(etlSchema) };
const pipelines = { schema: withRules(pipelineSchema, checkPipelines), tree: schemaTree(pipelineSchema) };

/** Throws CONFIG_INVALID that tells all problems, each as `file:line:column path: message`. */
export function parseConfig(text: string, file: string, environment: Environment = {}): Config {
  return parse(configuration, text, file, environment, (variable) => !isPipelineVariable(variable));
}

export function parsePipelines(text: string, file: string, environment: Environment = {}): Pipelines {
  return parse(pipelines, text, file, environment, isPipelineVariable);
}

const isPipelineVariable = (variable: string) => /^MILLRACE_PIPELINES(__|$)/.test(variable);

function parse<Output>(
  { schema, tree }: { schema: z.ZodType<Output>; tree: SchemaNode },
  text: string,
  file: string,
  environment: Environment,
  belongs: (variable: string) => boolean,
): Output {
  const yaml = readYaml(text);
  if (yaml.problems.length > 0) throw invalid(file, yaml.problems);

  // An empty file, or one of comments only, takes every default.
  const data = withoutEmptySections(yaml.value ?? {}, tree);
  const { overrides, problems } = applyEnvironment(data, tree, environment, belongs);
  const placeOf: PlaceOf = (path, part) => {
    const setBy = overrides.findLast((override) => startsWith(path, override.path));
    if (setBy !== undefined) return setBy.variable;
    // What stands nowhere is missed by what holds it, which may be there because of a variable only.
    for (let length = path.length; length > 0 && !yaml.has(path.slice(0, length)); length--) {
      const holder = overrides.find((override) => startsWith(override.path, path.slice(0, length)));
      if (holder !== undefined) return holder.variable;
    }
    return yaml.placeOf(path, part);
  };

  const parsed = schema.safeParse(data);
  if (parsed.success && problems.length === 0) {
    if (isPlainObject(parsed.data))
      places.set(parsed.data, (path) => placeText(file, placeOf(path, "value"), path));
    return parsed.data;
  }
  const issues = parsed.error?.issues ?? [];
  throw invalid(file, [
    ...issues.flatMap((issue) => problemsOf(issue, data, tree, placeOf)),
    ...problems.map(({ variable, message }) => ({ place: variable, path: [], message })),
  ]);
}

/** Where the values of a configuration stand: what is found wrong only later, in a file that it names, is told with its place. */
const places = new WeakMap<object, (path: Path) => string>();

/** `file:line:column path`, or the variable of the environment that set it; only the path of a configuration that was not read. */
export function placeIn(config: Config, path: Path): string {
  return places.get(config)?.(path) ?? pathText(path);
}

/** A section whose keys are all commented out is one that is not there. Not so where its presence means something. */
function withoutEmptySections(value: unknown, node: SchemaNode | undefined): unknown {
  if (node === undefined || !isPlainObject(value)) return value;
  const children = Object.entries(value).map(([key, child]) => ({ key, child, schema: nodeAt(node, [key]) }));
  return Object.fromEntries(
    children
      .filter(({ child, schema }) => !(child === null && schema?.type === "object" && "default" in schema))
      .map(({ key, child, schema }) => [key, withoutEmptySections(child, schema)]),
  );
}

/** The secret that a file holds, without the blanks and the line break around it. Throws CONFIG_UNREADABLE, CONFIG_INVALID. */
export function readSecret(file: string): string {
  let secret: string;
  try {
    secret = readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new MillraceError(
      "CONFIG_UNREADABLE",
      `${file}, which should hold a secret, cannot be read (${reason(error)}).`,
      { cause: error },
    );
  }
  if (secret === "")
    throw new MillraceError("CONFIG_INVALID", `${file}, which should hold a secret, is empty.`);
  if (/[\0\r\n]/.test(secret)) {
    throw new MillraceError("CONFIG_INVALID", `${file}, which should hold a secret, has more than one line.`);
  }
  return secret;
}

/** What is wrong with the files of secrets that a configuration names; for people, who may choose to live with it. */
export function secretFileProblems(config: Config): { path: string; message: string }[] {
  return secretFiles(config, []).flatMap(({ path, file }) => {
    try {
      // A private key has more than one line; whoever opens the connection reads it.
      if (!path.endsWith("key_file")) readSecret(file);
      if (process.platform === "win32" || !isOpenToAll(file)) return [];
    } catch (error) {
      const isTold = error instanceof MillraceError;
      return [{ path, message: isTold ? error.message : `${file} cannot be read (${reason(error)}).` }];
    }
    return [{ path, message: `${file} can be read by every user of this machine: chmod 600 ${file}` }];
  });
}

/** A folder that only its owner may enter protects what is in it, as Docker's secrets need. */
function isOpenToAll(file: string): boolean {
  return (statSync(file).mode & 0o004) !== 0 && (statSync(dirname(file)).mode & 0o001) !== 0;
}

/** Certificates are no secrets; keys, tokens and passwords are. */
function secretFiles(value: object, path: Path): { path: string; file: string }[] {
  return Object.entries(value).flatMap(([key, child]: [string, unknown]) => {
    // What a model holds is many numbers, and no names.
    if (ArrayBuffer.isView(child)) return [];
    if (typeof child === "object" && child !== null) return secretFiles(child, [...path, key]);
    const isSecret = /(password|token|key)_file$/.test(key);
    return isSecret ? [{ path: pathText([...path, key]), file: child as string }] : [];
  });
}
