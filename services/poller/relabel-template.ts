import type { AnchoredRe2 } from "../shared/anchored-re2.js";

/** What a template says once a text has matched: the match's groups, put where the template names them. */
export type Template = (groups: readonly (string | null)[]) => string;

/** `$$`, `$name`, which takes as many letters, digits and `_` as there are, or `${name}`. */
const reference = /\$(?:\$|[\p{L}\p{Nd}_]+|\{[\p{L}\p{Nd}_]+\})/gu;

/**
 * A template as Go expands it (regexp.Expand): `$1` and `${name}` are groups, `$$` is a dollar, and a dollar that begins
 * none of these is itself. A group that the expression does not have is empty.
 */
export function compileTemplate(template: string, expression: AnchoredRe2): Template {
  const parts: (string | number)[] = [];
  let end = 0;
  for (const { 0: text, index } of template.matchAll(reference)) {
    parts.push(template.slice(end, index));
    end = index + text.length;
    if (text === "$$") parts.push("$");
    else {
      const group = groupNumber(text.replace(/[${}]/g, ""), expression);
      if (group !== undefined) parts.push(group);
    }
  }
  parts.push(template.slice(end));
  return (groups) => parts.map((part) => (typeof part === "string" ? part : (groups[part] ?? ""))).join("");
}

/** Numbers have no leading zeros: `$01` is the group of that name, which no expression can have. */
function groupNumber(name: string, expression: AnchoredRe2): number | undefined {
  return /^(0|[1-9]\d{0,8})$/.test(name) ? Number(name) : expression.groupOf(name);
}
