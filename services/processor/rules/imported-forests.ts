import type { IsolationForest } from "../../kernels/isolation-forest.js";
import type { Config } from "../../shared/config-schema.js";
import type { Series } from "../../shared/frame.js";
import { compileMatch } from "../../shared/series-match.js";

/** A forest that was fitted elsewhere. */
export interface ImportedForest {
  readonly name: string;
  readonly forest: IsolationForest;
}

/** The forest of the first entry that matches a series, null for those that none matches; null where there are no entries. */
export function compileForests(
  forests: Config["transform"]["cleaning"]["isolation_forests"],
): ((series: Series) => ImportedForest | null) | null {
  const entries = Object.entries(forests).map(([name, { match, file }]) => ({
    match: compileMatch(match),
    imported: { name, forest: file.content },
  }));
  if (entries.length === 0) return null;
  const known = new WeakMap<Series, ImportedForest | null>();
  return (series) => {
    let imported = known.get(series);
    if (imported === undefined) {
      imported = entries.find(({ match }) => match.captures(series) !== null)?.imported ?? null;
      known.set(series, imported);
    }
    return imported;
  };
}
