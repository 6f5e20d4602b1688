import {
  type Document,
  LineCounter,
  type Node,
  type Pair,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
} from "yaml";

/** One YAML document as plain data, with the place of every value; aliases and merge keys (`<<`) are resolved. */
export interface YamlData {
  value: unknown;
  /** The place of a value or, for `key`, of its key; of what holds it, where it does not stand in the text. */
  placeOf: (path: readonly PropertyKey[], part: "key" | "value") => Place;
  problems: { place: Place; path: []; message: string }[];
}

/** Both from 1. */
export interface Place {
  line: number;
  column: number;
}

/** A bound on what aliases can blow a small text up to. */
const VALUES_MAX = 100_000;

export function readYaml(text: string): YamlData {
  const lineCounter = new LineCounter();
  const problems: YamlData["problems"] = [];
  const offsets = new Map<string, { key: number; value: number }>();
  const placeAt = (offset: number): Place => {
    const { line, col } = lineCounter.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const report = (offset: number, message: string) =>
    problems.push({ place: placeAt(offset), path: [], message });

  let value: unknown = null;
  try {
    const document = parseDocument(text, { lineCounter, prettyErrors: false });
    for (const { pos, message, code } of [...document.errors, ...document.warnings]) {
      report(pos[0], yamlWords(code, message));
    }
    if (problems.length === 0) value = plainValue(document, offsets, report);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    report(0, "values are nested too deeply");
  }

  return {
    value,
    problems,
    placeOf: (path, part) => {
      for (let length = path.length; length > 0; length--) {
        const offset = offsets.get(JSON.stringify(path.slice(0, length)));
        if (offset !== undefined) return placeAt(length < path.length ? offset.key : offset[part]);
      }
      return placeAt(0);
    },
  };
}

function yamlWords(code: string, message: string): string {
  if (code === "DUPLICATE_KEY") return "this key stands here twice";
  if (code === "MULTIPLE_DOCS") return "more than one document";
  if (code === "TAG_RESOLVE_FAILED") return "a tag (`!`), which has no meaning here";
  if (message.startsWith("Maximum call stack")) return "values are nested too deeply";
  // What follows a colon quotes the text, which might be a secret.
  return message.replace(/: .*$/s, "");
}

function plainValue(
  document: Document.Parsed,
  offsets: Map<string, { key: number; value: number }>,
  report: (offset: number, message: string) => void,
): unknown {
  /** The sections and lists that are being read: an alias to one of them would never end. */
  const open = new Set<Node>();
  let count = 0;
  const isTooMuch = (offset: number) => {
    if (++count === VALUES_MAX + 1) report(offset, `more than ${VALUES_MAX} values`);
    return count > VALUES_MAX;
  };

  const plain = (node: unknown, path: PropertyKey[], keyOffset: number): unknown => {
    const offset = offsetOf(node) ?? keyOffset;
    if (isTooMuch(offset)) return null;
    offsets.set(JSON.stringify(path), { key: keyOffset, value: offset });
    const target = resolve(node);
    if (target === undefined || target === null) return null;
    if (isScalar(target)) return target.value;
    if (open.has(target)) {
      report(offset, "an alias inside of what it stands for");
      return null;
    }
    open.add(target);
    let value: unknown = null;
    if (isSeq(target)) {
      value = target.items.map((item, i) => plain(item, [...path, i], offsetOf(item) ?? offset));
    } else if (isMap(target)) {
      const entries: Record<string, unknown> = {};
      fill(entries, target.items, path);
      value = entries;
    }
    open.delete(target);
    return value;
  };

  /** Adds the pairs whose keys are not there yet: first a map's own, then those that it merges, the first one winning. */
  const fill = (entries: Record<string, unknown>, pairs: Pair[], path: PropertyKey[]) => {
    for (const pair of pairs) {
      const offset = offsetOf(pair.key) ?? 0;
      const name = isScalar(pair.key) ? pair.key.value : undefined;
      if (!["string", "number", "boolean"].includes(typeof name) || name === "__proto__") {
        report(offset, "a key must be a plain name");
        continue;
      }
      const key = String(name);
      if (key !== "<<" && !Object.hasOwn(entries, key))
        entries[key] = plain(pair.value, [...path, key], offset);
    }
    for (const { key, value } of pairs) {
      if (!isScalar(key) || key.value !== "<<") continue;
      const merged = resolve(value);
      for (const source of isSeq(merged) ? merged.items : [merged]) {
        const map = resolve(source);
        const offset = offsetOf(source) ?? offsetOf(key) ?? 0;
        if (isTooMuch(offset)) return;
        if (!isMap(map)) report(offset, "only a section can be merged");
        else if (open.has(map)) report(offset, "an alias inside of what it stands for");
        else {
          open.add(map);
          fill(entries, map.items, path);
          open.delete(map);
        }
      }
    }
  };

  const resolve = (node: unknown): Node | null | undefined => {
    if (!isAlias(node)) return node as Node | null;
    const target = node.resolve(document);
    if (target === undefined) report(offsetOf(node) ?? 0, "an alias without the anchor that it names");
    return target;
  };

  return plain(document.contents, [], 0);
}

function offsetOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
