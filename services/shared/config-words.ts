import { closest, distance } from "fastest-levenshtein";
import { z } from "zod";

/**
 * The words that error messages and the reference share: what a key expects, said from the schema, and what was found.
 */

/** A schema as data: JSON Schema, and the meta data that config-schema.ts names. */
export type SchemaNode = Exclude<z.core.JSONSchema.BaseSchema, boolean>;

export function schemaTree(schema: z.ZodType): SchemaNode {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
}

/** The schema of the value at a path; undefined where the schema knows none. */
export function nodeAt(root: SchemaNode, path: readonly PropertyKey[]): SchemaNode | undefined {
  return path.reduce<SchemaNode | undefined>((node, key) => node && childOf(node, key), root);
}

function childOf(node: SchemaNode, key: PropertyKey): SchemaNode | undefined {
  if (typeof key === "number") return asNode(node.items);
  const properties = node.properties ?? {};
  const name = String(key);
  return asNode(Object.hasOwn(properties, name) ? properties[name] : node.additionalProperties);
}

export function asNode(value: unknown): SchemaNode | undefined {
  return isPlainObject(value) ? value : undefined;
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Entries of a record have names that the user gives; keys of a section are the schema's. */
export function isRecord(node: SchemaNode): boolean {
  return asNode(node.additionalProperties) !== undefined;
}

export function isSection(node: SchemaNode): boolean {
  return node.properties !== undefined;
}

/** What a value must be, such as `a whole number from 1 to 65535`. */
export function expected(node: SchemaNode): string {
  if (typeof node["expected"] === "string") return node["expected"];
  if (node.enum !== undefined) return `one of ${node.enum.map((value) => `\`${String(value)}\``).join(", ")}`;
  if (isSection(node)) return `a section with the keys ${Object.keys(node.properties!).join(", ")}`;
  if (isRecord(node)) return "a section of named entries";
  switch (node.type) {
    case "integer":
      return `a whole number${unit(node)}${bounds(node)}`;
    case "number":
      return `a number${unit(node)}${bounds(node)}`;
    case "array":
      return `a list of ${node.minItems ?? 0} to ${node.maxItems ?? "any number of"} elements, each ${expected(asNode(node.items)!)}`;
    case "string":
      return `text of ${node.minLength ?? 0} to ${node.maxLength ?? "any number of"} characters`;
    default:
      return "another value";
  }
}

function unit(node: SchemaNode): string {
  return typeof node["unit"] === "string" ? ` of ${node["unit"]}` : "";
}

function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: SchemaNode): string {
  const low = minimum !== undefined ? ` from ${minimum}` : ` above ${exclusiveMinimum}`;
  return low + (maximum !== undefined ? ` to ${maximum}` : ` and below ${exclusiveMaximum}`);
}

/** What stood there, in few words. Names of files and what precedes an @ are left out: they might be secrets. */
export function found(value: unknown, key: PropertyKey | undefined): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  if (typeof value === "object") return "a section";
  if (typeof key === "string" && key.endsWith("_file")) return `a ${typeof value}`;
  if (typeof value !== "string") return JSON.stringify(value);
  const shown = value.replace(/[^\s/]*@/g, "…@");
  return JSON.stringify(shown.length > 100 ? `${shown.slice(0, 100)}…` : shown);
}

/** The known name that is meant, as far as one can tell; undefined where none is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const best = closest(name, known);
  if (distance(name.toLowerCase(), best.toLowerCase()) <= Math.max(2, name.length / 3)) return best;
  return known.find((other) => other.startsWith(`${name}_`));
}

/** `; did you mean ...?` where a known name is near, all known names where none is. */
export function didYouMean(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  if (meant !== undefined) return `; did you mean \`${meant}\`?`;
  return known.length === 0 ? "" : `; known: ${known.join(", ")}`;
}

/** The sections that have a key: where it may have been meant to stand. `<name>` is an entry of a record. */
export function sectionsWith(key: string, node: SchemaNode, path: readonly string[] = []): string[] {
  const children = isRecord(node)
    ? [["<name>", asNode(node.additionalProperties)!] as const]
    : Object.keys(node.properties ?? {}).map((name) => [name, nodeAt(node, [name])!] as const);
  const here = path.length > 0 && Object.hasOwn(node.properties ?? {}, key) ? [path.join(".")] : [];
  return [...here, ...children.flatMap(([name, child]) => sectionsWith(key, child, [...path, name]))];
}
