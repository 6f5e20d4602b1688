import { RE2JS, RE2JSSyntaxException } from "re2js";

/** A regular expression as Prometheus matches by it: RE2's syntax, the whole text, `.` any character. */
export interface AnchoredRe2 {
  /** The whole text and its groups in their order, null for one that takes no part; null where the text does not match. */
  match(text: string): (string | null)[] | null;
  /** The number of the group of that name, undefined where there is none. */
  groupOf(name: string): number | undefined;
}

/** What is wrong with it where it is none, in RE2's words. */
export function compileAnchored(expression: string): AnchoredRe2 | string {
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(expression, RE2JS.DOTALL);
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) return error.getDescription();
    throw error;
  }
  const names = new Map(Object.entries(compiled.namedGroups()));
  const groups = Array.from({ length: compiled.groupCount() + 1 }, (_, i) => i);
  return {
    match: (text: string) => {
      const matcher = compiled.matcher(text);
      return matcher.matches() ? groups.map((group) => matcher.group(group)) : null;
    },
    groupOf: (name: string) => names.get(name),
  };
}
