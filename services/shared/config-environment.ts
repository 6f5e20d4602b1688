import { type SchemaNode, didYouMean, isPlainObject, isRecord, nodeAt } from "./config-words.js";
import { readYaml } from "./config-yaml.js";
import { type Path, startsWith } from "./config-rules.js";

const PREFIX = "MILLRACE_";

/** Variables with the prefix that are no keys of the configuration. */
const isOther = (variable: string) => variable === "MILLRACE_CONFIG" || variable.startsWith("MILLRACE_TEST_");

export interface Override {
  variable: string;
  path: Path;
}

/**
 * Sets in `data` what the environment says, such as MILLRACE_LOAD__INFLUXDB__URL: the path in upper case, `__` between
 * its keys, the value as YAML. Returns what was set, and the problems; an empty variable is one that is not set.
 */
export function applyEnvironment(
  data: unknown,
  root: SchemaNode,
  environment: Readonly<Record<string, string | undefined>>,
  belongs: (variable: string) => boolean,
): { overrides: Override[]; problems: { variable: string; message: string }[] } {
  const overrides: Override[] = [];
  const problems: { variable: string; message: string }[] = [];
  // A file that is no section at all is a problem that the schema reports.
  if (!isPlainObject(data)) return { overrides, problems };
  const variables = Object.keys(environment)
    .filter((variable) => variable.startsWith(PREFIX) && !isOther(variable) && belongs(variable))
    // A section comes before its keys, so that both may be given.
    .sort((a, b) => a.split("__").length - b.split("__").length || (a < b ? -1 : 1));

  for (const variable of variables) {
    const text = environment[variable];
    if (text === undefined || text === "") continue;
    const path = resolvePath(variable, root, data);
    if (typeof path === "string") {
      problems.push({ variable, message: path });
      continue;
    }
    const twin = overrides.find((other) => other.path.length === path.length && startsWith(path, other.path));
    if (twin !== undefined) {
      problems.push({ variable, message: `${twin.variable} sets the same key` });
      continue;
    }
    const value = readValue(text, nodeAt(root, path)!);
    if (value === undefined) {
      problems.push({ variable, message: "the value is no YAML" });
      continue;
    }
    setAt(data, root, path, value);
    overrides.push({ variable, path });
  }
  return { overrides, problems };
}

/** The keys that a variable names, or what is wrong with it. */
function resolvePath(variable: string, root: SchemaNode, data: Record<string, unknown>): Path | string {
  const path: string[] = [];
  let node = root;
  let value: unknown = data;
  for (const segment of variable.slice(PREFIX.length).split("__")) {
    const names = isRecord(node)
      ? Object.keys(isPlainObject(value) ? value : (node.default ?? {}))
      : Object.keys(node.properties ?? {});
    const key = names.find((name) => spelling(name) === spelling(segment));
    if (key === undefined) {
      const place = path.length === 0 ? "" : ` in ${path.join(".")}`;
      if (names.length === 0) return `${path.join(".")} has no keys`;
      return `there is no key \`${segment.toLowerCase()}\`${place}${didYouMean(segment.toLowerCase(), names)}`;
    }
    path.push(key);
    value = [value, node.default].find(isPlainObject)?.[key];
    node = nodeAt(node, [key])!;
  }
  return path;
}

/** Shells allow letters, digits and `_` in the names of variables: so `my-job` is MY_JOB. */
function spelling(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9]/g, "_");
}

/** Text needs no quotes, though it may have them; all else is YAML. Undefined where it is not. */
function readValue(text: string, node: SchemaNode): unknown {
  const { value, problems } = readYaml(text);
  const read = problems.length === 0 ? value : undefined;
  const wantsText = node.type === "string" || node.enum !== undefined;
  return wantsText && typeof read !== "string" ? text : read;
}

/** Sets a value, making the sections above it; a record that is not given starts from its default. */
function setAt(data: Record<string, unknown>, root: SchemaNode, path: Path, value: unknown): void {
  let holder = data;
  let node = root;
  for (const key of path.slice(0, -1) as string[]) {
    node = nodeAt(node, [key])!;
    const present = holder[key];
    const next = isPlainObject(present)
      ? present
      : ((isRecord(node) ? structuredClone(node.default ?? {}) : {}) as Record<string, unknown>);
    holder[key] = next;
    holder = next;
  }
  holder[path.at(-1) as string] = value;
}
