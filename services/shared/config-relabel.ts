import { z } from "zod";
import { compileAnchored } from "./anchored-re2.js";

/** One rule of relabelling, with the keys, defaults and demands of Prometheus's `relabel_config`. */

const relabelActions = [
  "replace",
  "keep",
  "drop",
  "keepequal",
  "dropequal",
  "hashmod",
  "labelmap",
  "labeldrop",
  "labelkeep",
  "lowercase",
  "uppercase",
] as const;

/** A label's name as Prometheus 3 allows it: any text. */
const anyLabelName = z.string().min(1).max(1024).meta({ expected: "the name of a label" });

export const relabelRule = z.strictObject({
  action: z
    .string()
    .default("replace")
    .transform((text, context) => {
      const action = relabelActions.find((known) => known === text.toLowerCase());
      if (action !== undefined) return action;
      context.addIssue({ code: "invalid_format", format: "expected" });
      return z.NEVER;
    })
    .describe("What the rule does; Prometheus's manual tells of each, at `relabel_config`.")
    .meta({ expected: `one of ${relabelActions.map((action) => `\`${action}\``).join(", ")}` }),
  source_labels: z
    .array(anyLabelName)
    .min(0)
    .max(64)
    .default([])
    .describe(
      "The labels whose values, joined by `separator`, the rule looks at; `__name__` is the metric's name.",
    ),
  separator: z.string().max(64).default(";").describe("What stands between these values."),
  regex: z
    .string()
    .max(4096)
    .default("(.*)")
    .superRefine((expression, context) => {
      const compiled = compileAnchored(expression);
      if (typeof compiled === "string")
        context.addIssue({
          code: "custom",
          message: `${JSON.stringify(expression)} is no regular expression of RE2: ${compiled}`,
        });
    })
    .describe(
      "What the whole of the values, or of a label's name, must match: RE2's syntax, `.` any character.",
    )
    .meta({ expected: "a regular expression" }),
  modulus: z
    .int()
    .min(1)
    .max(1_000_000_000)
    .optional()
    .describe("What `hashmod` divides the hash by; the rest is the label's value."),
  target_label: anyLabelName
    .optional()
    .describe("The label that is written, or compared; that of `replace` may hold `$1` and `${name}`."),
  replacement: z
    .string()
    .max(4096)
    .default("$1")
    .describe(
      "The value that is written, or the name that `labelmap` copies to; `$1` and `${name}` are groups of `regex`.",
    ),
});

export type RelabelRule = z.output<typeof relabelRule>;

const nothingButNames = ["source_labels", "target_label", "modulus", "separator", "replacement"] as const;
const nothingButLabels = ["regex", "modulus", "separator", "replacement"] as const;

/** The keys of a rule that say nothing to its action, as Prometheus has it. */
const idleRelabelKeys: Partial<Record<RelabelRule["action"], readonly (keyof RelabelRule)[]>> = {
  keepequal: nothingButLabels,
  dropequal: nothingButLabels,
  labeldrop: nothingButNames,
  labelkeep: nothingButNames,
  lowercase: ["replacement"],
  uppercase: ["replacement"],
};

const relabelDefaults: Partial<RelabelRule> = { separator: ";", regex: "(.*)", replacement: "$1" };

/** What an action needs and lacks, or what says nothing to it: the key that it stands at, if at one, and what is wrong. */
export function relabelProblems(rule: RelabelRule): { at: (keyof RelabelRule)[]; message: string }[] {
  const { action, target_label: target, modulus, replacement } = rule;
  const problems = (idleRelabelKeys[action] ?? [])
    .filter((key) => {
      const value = rule[key];
      return Array.isArray(value) ? value.length > 0 : value !== relabelDefaults[key];
    })
    .map((key) => ({ at: [key], message: `\`${key}\` says nothing to the action \`${action}\`` }));
  const report = (at: (keyof RelabelRule)[], message: string) => problems.push({ at, message });

  const writes = !["keep", "drop", "labelmap", "labeldrop", "labelkeep"].includes(action);
  if (writes && target === undefined) report([], `the action \`${action}\` needs \`target_label\``);
  if (writes && action !== "replace" && target?.includes("$") === true)
    report(["target_label"], `only the action \`replace\` knows \`$\` here; this is \`${action}\``);
  if (action === "hashmod" && modulus === undefined) report([], "the action `hashmod` needs `modulus`");
  if (action === "labelmap" && replacement === "")
    report(["replacement"], "`labelmap` needs the name that labels are copied to");
  return problems;
}
