import type { z } from "zod";
import type { Path } from "./config-rules.js";
import {
  type SchemaNode,
  asNode,
  didYouMean,
  expected,
  found,
  nearest,
  nodeAt,
  sectionsWith,
} from "./config-words.js";
import type { Place } from "./config-yaml.js";
import { MillraceError } from "./errors.js";

/** More problems than these no person reads at once. */
const PROBLEMS_MAX = 100;

export interface Problem {
  /** Where it stands: in the file, or the variable of the environment. */
  place: Place | string;
  path: Path;
  message: string;
}

export type PlaceOf = (path: Path, part: "key" | "value") => Place | string;

/** A problem of the schema in words, at its place. */
export function problemsOf(
  issue: z.core.$ZodIssue,
  data: unknown,
  tree: SchemaNode,
  placeOf: PlaceOf,
): Problem[] {
  const { path } = issue;
  const node = nodeAt(tree, path);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.slice(0, PROBLEMS_MAX + 1).map((key) => ({
        place: placeOf([...path, key], "key"),
        path: [...path, key],
        message: unknownKey(key, Object.keys(node?.properties ?? {}), tree),
      }));
    case "invalid_key": {
      const names = asNode(nodeAt(tree, path.slice(0, -1))?.propertyNames);
      const message = `expected ${expected(names ?? {})}; found ${found(path.at(-1), undefined)}`;
      return [{ place: placeOf(path, "key"), path, message }];
    }
    case "custom": {
      const isDefault = valueAt(data, path) === undefined;
      const message = isDefault ? `not given, and its default does not fit: ${issue.message}` : issue.message;
      return [{ place: placeOf(path, "value"), path, message }];
    }
    default: {
      const value = valueAt(data, path);
      const message = `expected ${expected(node ?? {})}; found ${found(value, path.at(-1))}`;
      return [{ place: placeOf(path, "value"), path, message }];
    }
  }
}

function unknownKey(key: string, known: string[], tree: SchemaNode): string {
  const elsewhere = nearest(key, known) === undefined ? sectionsWith(key, tree) : [];
  const hint = elsewhere.length > 0 ? `; it belongs to ${elsewhere.join(" or ")}` : didYouMean(key, known);
  return `unknown key \`${key}\`${hint}`;
}

function valueAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, key)
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined,
    data,
  );
}

/** All problems, each on a line of its own: the file's in its order, then the environment's. */
export function invalid(file: string, problems: readonly Problem[]): MillraceError {
  const inFile = ({ place }: Problem) => typeof place !== "string";
  const order = (a: Problem, b: Problem) =>
    typeof a.place !== "string" && typeof b.place !== "string"
      ? a.place.line - b.place.line || a.place.column - b.place.column
      : Number(inFile(b)) - Number(inFile(a));
  const lines = problems.toSorted(order).map(({ place, path, message }) => {
    return `${placeText(file, place, path)}: ${message}${message.endsWith("?") ? "" : "."}`;
  });
  const distinct = [...new Set(lines)];
  const told = distinct.slice(0, PROBLEMS_MAX);
  if (distinct.length > told.length)
    told.push(`${file}: there are more problems than these ${PROBLEMS_MAX}.`);
  return new MillraceError("CONFIG_INVALID", told.join("\n"));
}

/** `file:line:column path`, or the variable of the environment instead of the former. */
export function placeText(file: string, place: Place | string, path: Path): string {
  const where = typeof place === "string" ? place : `${file}:${place.line}:${place.column}`;
  return path.length === 0 ? where : `${where} ${pathText(path)}`;
}

/** `kafka.brokers[0]`; names that hold more than letters, digits, `_` and `-` in quotes. */
export function pathText(path: Path): string {
  return path
    .map((key) =>
      typeof key === "number"
        ? `[${key}]`
        : `.${/^[\w-]+$/.test(String(key)) ? String(key) : JSON.stringify(key)}`,
    )
    .join("")
    .replace(/^\./, "");
}
