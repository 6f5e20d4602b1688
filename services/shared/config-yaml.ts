import {
  type CST,
  Composer,
  type Document,
  LineCounter,
  type Node,
  type Pair,
  Parser,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  visit,
} from "yaml";

/** One YAML document as plain data, with the place of every value; aliases and merge keys (`<<`) are resolved. */
export interface YamlData {
  value: unknown;
  has: (path: readonly PropertyKey[]) => boolean;
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

/** The configuration itself has six levels. */
const DEPTH_MAX = 50;

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

  // Composing recurses, and V8 may abort the process where the stack ends: so the depth is measured before.
  const tokens = [...new Parser(lineCounter.addNewLine).parse(text)];
  const tooDeep = tooDeepToken(tokens);
  let value: unknown = null;
  if (tooDeep !== undefined) report(tooDeep.offset, `more than ${DEPTH_MAX} levels`);
  else {
    const composer = new Composer({ prettyErrors: false, uniqueKeys: false });
    const [document, ...others] = composer.compose(tokens, true, text.length);
    // Once the structure is lost, the tokens that follow are unexpected, too: that is no news.
    const faults = [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0]);
    for (const { pos, message, code } of faults.filter(
      (fault, i) => i === 0 || fault.code !== "UNEXPECTED_TOKEN",
    )) {
      report(pos[0], yamlWords(code, message));
    }
    if (others.length > 0) report(others[0].range[0], "more than one document");
    if (problems.length === 0) value = plainValue(document, offsets, report);
  }

  return {
    value,
    problems,
    has: (path) => offsets.has(JSON.stringify(path)),
    placeOf: (path, part) => {
      for (let length = path.length; length > 0; length--) {
        const offset = offsets.get(JSON.stringify(path.slice(0, length)));
        if (offset !== undefined) return placeAt(length < path.length ? offset.key : offset[part]);
      }
      return placeAt(0);
    },
  };
}

/** A token that is nested too deeply, in collections as they stand in the text. */
function tooDeepToken(tokens: readonly CST.Token[]): CST.Token | undefined {
  let level: CST.Token[] = [...tokens];
  for (let depth = 0; depth <= DEPTH_MAX && level.length > 0; depth++) {
    level = level.flatMap((token) => {
      if (token.type === "document") return token.value ?? [];
      if (!("items" in token)) return [];
      return token.items.flatMap(({ key, value }) => [key ?? [], value ?? []].flat());
    });
  }
  return level[0];
}

function yamlWords(code: string, message: string): string {
  if (code === "TAG_RESOLVE_FAILED") return "a tag (`!`), which has no meaning here";
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
    const own = new Set<string>();
    for (const pair of pairs) {
      const offset = offsetOf(pair.key) ?? 0;
      const name = isScalar(pair.key) ? pair.key.value : undefined;
      if (!["string", "number", "boolean"].includes(typeof name) || name === "__proto__") {
        report(offset, "a key must be a plain name");
        continue;
      }
      const key = String(name);
      if (own.has(key)) report(offset, "this key stands here twice");
      own.add(key);
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

  // An alias stands for the last node before it that has the anchor.
  const targets = new Map<unknown, Node>();
  const anchors = new Map<string, Node>();
  visit(document, (_, node) => {
    const target = isAlias(node) ? anchors.get(node.source) : undefined;
    if (target !== undefined) targets.set(node, target);
    if ((isScalar(node) || isCollection(node)) && node.anchor !== undefined) anchors.set(node.anchor, node);
  });
  const resolve = (node: unknown): Node | null | undefined => {
    if (!isAlias(node)) return node as Node | null;
    const target = targets.get(node);
    if (target === undefined) report(offsetOf(node) ?? 0, "an alias without the anchor that it names");
    return target;
  };

  return plain(document.contents, [], 0);
}

function offsetOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
