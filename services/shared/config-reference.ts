import { stringify } from "yaml";
import { etlSchema, pipelineSchema } from "./config-schema.js";
import { type SchemaNode, asNode, expected, isRecord, isSection, schemaTree } from "./config-words.js";

/** docs/configuration.md, whole, from the schema. `npm run docs` writes it, and a test compares. */
export function configurationReference(): string {
  return [
    introduction,
    "## config/etl_config.yaml",
    ...keysOf(schemaTree(etlSchema)).flatMap(([key, node]) => part(key, node)),
    "## config/pipeline_config.yaml",
    ...keysOf(schemaTree(pipelineSchema)).flatMap(([key, node]) => part(key, node)),
    "",
  ].join("\n\n");
}

const introduction = `# Configuration

<!-- Written by \`npm run docs\` from services/shared/config-schema.ts: change the descriptions there. -->

Millrace reads \`config/etl_config.yaml\`, or the file that \`--config\` or the variable \`MILLRACE_CONFIG\` names; the pipelines'
schedules are in \`config/pipeline_config.yaml\`. Every key has a default unless it says otherwise, so an empty file is a whole
configuration. Unknown keys are refused. \`millrace check\` tells all problems of the file, each with its line.

- **Durations** are text with a unit: \`500ms\`, \`90s\`, \`5m\`, \`1.5h\`, \`30d\`, \`2w\`, \`5y\` (a day has 24 hours, a year 365 days).
- **Environment**: any key can be set by a variable: \`MILLRACE_\`, then the path in upper case with \`__\` between its keys, and
  \`_\` for what no variable's name may hold: \`MILLRACE_LOAD__INFLUXDB__URL=http://influxdb:8086\`,
  \`MILLRACE_KAFKA__BROKERS=[kafka-1:9092, kafka-2:9092]\`, \`MILLRACE_EXTRACT__JOBS__LIVE__INTERVAL=5s\`. The value is YAML, or
  plain text where text is expected. It wins over the file. An empty variable counts as not set; one that names no key is an
  error. Entries that users name (templates, jobs, entities, pipelines) can be changed so, not added.
- **Secrets** stand in files of their own, named by the keys that end in \`password_file\` or \`token_file\`: one line each, best readable by
  Millrace's user only. They are never part of the configuration, of a log or of a message; a URL with a password in it is
  refused.
- **Names of files** are relative to the folder that Millrace is started in.
- **YAML** is 1.2, one document, with anchors, aliases and merge keys (\`<<\`), no tags.

Keys marked *later* are read and checked by this version, and take effect with a later one.`;

type Keyed = readonly [string, SchemaNode];

function keysOf(section: SchemaNode): Keyed[] {
  return Object.entries(section.properties ?? {}).map(([key, node]) => [key, asNode(node)!] as const);
}

/** One section: what it is for, its keys in a table, then the sections in it. */
function part(path: string, node: SchemaNode): string[] {
  const heading = `### ${path}`;
  const about = meaning(node);
  const entry = isRecord(node) ? asNode(node.additionalProperties)! : undefined;
  if (entry !== undefined) {
    const name = `${path}.<name>`;
    const example = `Default:\n\n\`\`\`yaml\n${stringify(node.default, { lineWidth: 100 })}\`\`\``;
    return [
      heading,
      about,
      table(isSection(entry) ? rows(name, entry) : [row(name, entry, "required")]),
      example,
      ...partsIn(name, entry),
    ];
  }
  const own = rows(path, node);
  return [heading, about, ...(own.length === 0 ? [] : [table(own)]), ...partsIn(path, node)];
}

/** The sections in a section, and those that a list of it has as its elements. */
function partsIn(path: string, node: SchemaNode): string[] {
  return keysOf(node).flatMap(([key, child]) => {
    if (isHolder(child)) return part(`${path}.${key}`, child);
    const element = asNode(child.items);
    if (element === undefined || !isSection(element)) return [];
    const name = `${path}.${key}[]`;
    return [`### ${name}`, meaning(child), table(rows(name, element))];
  });
}

function isHolder(node: SchemaNode): boolean {
  return isSection(node) || isRecord(node);
}

function rows(path: string, section: SchemaNode): string[][] {
  const required = section.required ?? [];
  return keysOf(section)
    .filter(([, child]) => !isHolder(child))
    .map(([key, child]) => row(`${path}.${key}`, child, required.includes(key) ? "required" : "none"));
}

function row(path: string, node: SchemaNode, withoutDefault: string): string[] {
  const fallback = node.default === undefined ? withoutDefault : `\`${inline(node.default)}\``;
  return [`\`${path}\``, expected(node), fallback, meaning(node)];
}

function meaning(node: SchemaNode): string {
  return (node["effective"] === false ? "*Later.* " : "") + (node.description ?? "");
}

/** A value as it stands in YAML, on one line. */
function inline(value: unknown): string {
  const isWord = typeof value === "string" && /^[\w./:-]+$/.test(value);
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  return isWord ? value : JSON.stringify(value);
}

function table(lines: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(["Key", "Value", "Default", "Meaning"]), "| --- | --- | --- | --- |", ...lines.map(line)].join(
    "\n",
  );
}
