import type { ValueType } from "../../kernels/convert/convert-text.js";
import type { Config } from "../../shared/config-schema.js";
import type { Series } from "../../shared/frame.js";
import { compileMatch } from "../../shared/series-match.js";

/** What the text of a series is read as: by the first entry that matches it, and as a number without one. */
export function compileTypes(types: Config["transform"]["cleaning"]["types"]): (series: Series) => ValueType {
  const entries = Object.values(types).map(({ match, as }) => ({ match: compileMatch(match), as }));
  const known = new WeakMap<Series, ValueType>();
  return (series) => {
    let type = known.get(series);
    if (type === undefined) {
      type = entries.find(({ match }) => match.captures(series) !== null)?.as ?? "number";
      known.set(series, type);
    }
    return type;
  };
}
