import { createHash } from "node:crypto";
import { type AnchoredRe2, compileAnchored } from "../shared/anchored-re2.js";
import type { RelabelRule } from "../shared/config-relabel.js";
import type { Labels } from "../shared/frame.js";
import { type Template, compileTemplate } from "./relabel-template.js";

/** The label set that the rules make of another, both with `__name__`; null where they drop its series. */
export type Relabelling = (labels: Labels) => Labels | null;

/** Applies one rule; false drops the series. */
type Step = (labels: LabelBuilder) => boolean;

/**
 * Relabelling as Prometheus has it (metric_relabel_configs): the rules in their order, each on what the one before it left.
 * An empty value is a label that is not there; one whose name would be empty is not written. https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config
 * Throws where a rule's `regex` is no RE2; those of a configuration are.
 */
export function compileRelabelling(rules: readonly RelabelRule[]): Relabelling {
  if (rules.length === 0) return (labels) => labels;
  const steps = rules.map(compileRule);
  return (labels) => {
    const builder = createLabelBuilder(labels);
    return steps.every((step) => step(builder)) ? builder.labels() : null;
  };
}

function compileRule(rule: RelabelRule): Step {
  const { source_labels: sources, separator, target_label: target = "" } = rule;
  const expression = compileAnchored(rule.regex);
  if (typeof expression === "string") throw new Error(`${rule.regex}: ${expression}`);
  const matches = (text: string) => expression.match(text) !== null;
  const source = (labels: LabelBuilder) => sources.map(labels.get).join(separator);
  /** A step that never drops the series. */
  const always = (change: (labels: LabelBuilder) => void): Step => {
    return (labels) => {
      change(labels);
      return true;
    };
  };

  switch (rule.action) {
    case "keep":
      return (labels) => matches(source(labels));
    case "drop":
      return (labels) => !matches(source(labels));
    case "keepequal":
      return (labels) => labels.get(target) === source(labels);
    case "dropequal":
      return (labels) => labels.get(target) !== source(labels);
    case "replace":
      return always(replace(source, expression, rule));
    case "lowercase":
      return always((labels) => labels.set(target, lowercase(source(labels))));
    case "uppercase":
      return always((labels) => labels.set(target, uppercase(source(labels))));
    case "hashmod": {
      const modulus = BigInt(rule.modulus ?? 1);
      return always((labels) => labels.set(target, String(hash(source(labels)) % modulus)));
    }
    case "labelmap":
      return always(labelmap(expression, compileTemplate(rule.replacement, expression)));
    case "labeldrop":
      return always((labels) => {
        for (const name of labels.names()) if (matches(name)) labels.set(name, "");
      });
    case "labelkeep":
      return always((labels) => {
        for (const name of labels.names()) if (!matches(name)) labels.set(name, "");
      });
  }
}

function replace(
  source: (labels: LabelBuilder) => string,
  expression: AnchoredRe2,
  rule: RelabelRule,
): (labels: LabelBuilder) => void {
  const name = compileTemplate(rule.target_label ?? "", expression);
  const value = compileTemplate(rule.replacement, expression);
  return (labels) => {
    const groups = expression.match(source(labels));
    if (groups === null) return;
    const target = name(groups);
    if (target !== "") labels.set(target, value(groups));
  };
}

function labelmap(expression: AnchoredRe2, replacement: Template): (labels: LabelBuilder) => void {
  return (labels) => {
    for (const name of labels.names()) {
      const groups = expression.match(name);
      const target = groups === null ? "" : replacement(groups);
      if (target !== "") labels.set(target, labels.get(name));
    }
  };
}

/** The last eight bytes of the MD5, big-endian, as Prometheus: shards by hashmod are the same ones. */
function hash(text: string): bigint {
  return createHash("md5").update(text).digest().readBigUInt64BE(8);
}

/** Go maps one code point to one, whatever stands beside it: `ß` has no upper case, and a final sigma is like the others. */
function lowercase(text: string): string {
  return Array.from(text, (char) => String.fromCodePoint(char.toLowerCase().codePointAt(0)!)).join("");
}

function uppercase(text: string): string {
  return Array.from(text, (char) => {
    const upper = char.toUpperCase();
    return Array.from(upper).length === 1 ? upper : (greekCapitals.get(char) ?? char);
  }).join("");
}

/** Of Greek letters with an iota below, whose capitals JavaScript takes apart: by the small letter. */
const greekCapitals: ReadonlyMap<string, string> = new Map(
  Array.from({ length: 0x78 }, (_, i) => String.fromCodePoint(0x1f88 + i))
    .filter((char) => char.toLowerCase() !== char)
    .map((char) => [char.toLowerCase(), char]),
);

interface LabelBuilder {
  /** Empty where there is no such label. */
  readonly get: (name: string) => string;
  /** An empty value takes the label away. */
  readonly set: (name: string, value: string) => void;
  /** Those of the series in their order, then those set, in the order of their setting: the last of two that labelmap makes one counts. */
  readonly names: () => string[];
  readonly labels: () => Labels;
}

function createLabelBuilder(labels: Labels): LabelBuilder {
  const current = new Map(
    Object.keys(labels)
      .sort()
      .filter((name) => labels[name] !== "")
      .map((name) => [name, labels[name]]),
  );
  const written = new Set<string>();
  return {
    get: (name) => current.get(name) ?? "",
    set: (name, value) => {
      if (value === "" || !written.has(name)) current.delete(name);
      if (value === "") written.delete(name);
      else {
        written.add(name);
        current.set(name, value);
      }
    },
    names: () => [...current.keys()],
    labels: () => Object.fromEntries(current),
  };
}
