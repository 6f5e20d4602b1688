import { MillraceError } from "../shared/errors.js";
import type { Labels } from "../shared/frame.js";

/** Reads `job=api,instance=a:80`. Throws USAGE_INVALID. */
export function parseEntityFilter(text: string): Labels {
  const labels: Record<string, string> = {};
  for (const part of text.split(",")) {
    const separator = part.indexOf("=");
    if (separator < 1) {
      throw new MillraceError("USAGE_INVALID", `"${part}" in --entity is no label: write name=value.`);
    }
    labels[part.slice(0, separator).trim()] = part
      .slice(separator + 1)
      .trim()
      .replace(/^"(.*)"$/, "$1");
  }
  return labels;
}
