import type { FeatureFrame, Series } from "../shared/frame.js";

/**
 * A row of a feature frame as a line of InfluxDB's line protocol: the metric is the measurement, its labels are the tags,
 * `value` and every feature are float fields, the timestamp is in milliseconds.
 *
 * Sources: InfluxData, "Line protocol reference" (InfluxDB 2.7), and where it is silent or wrong the parser of 2.7.12
 * (models/points.go): a backslash escapes only a comma, a space and, in tags, an equals sign, and is itself never
 * escaped; a line break ends the line even after one; a name must not end in one, since that would escape what follows;
 * lines that begin with # are comments and are skipped in silence, as is white space before a measurement.
 */

/** What a backslash must stand before. */
const inMeasurement = /[, ]/g;
const inTag = /[, =]/g;

/**
 * What the server would read back for a name. Line protocol has no line breaks, so they are written as `\n` and `\r`, as
 * InfluxData's own clients do; and no backslash at the end, so a space is put after it.
 */
export function writableName(name: string): string {
  const oneLine = /[\n\r]/.test(name) ? name.replaceAll("\n", "\\n").replaceAll("\r", "\\r") : name;
  return oneLine.endsWith("\\") ? `${oneLine} ` : oneLine;
}

/** The tags of a series as InfluxDB holds them, sorted by name; an empty label is no label. */
export function tagsOf(series: Series): [name: string, value: string][] {
  return (
    Object.entries(series.labels)
      .filter(([, value]) => value !== "")
      // An object has names that are whole numbers first, whatever the order they were put in.
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => [writableName(name), writableName(value)])
  );
}

const linePrefixes = new WeakMap<Series, string>();

/** `measurement,tag=value,…`: made once a series, since series are interned. Null: InfluxDB would take it for a comment or another name. */
export function linePrefix(series: Series): string | null {
  let prefix = linePrefixes.get(series);
  if (prefix === undefined) {
    prefix = writableName(series.metric).replace(inMeasurement, "\\$&");
    for (const [name, value] of tagsOf(series)) {
      prefix += `,${name.replace(inTag, "\\$&")}=${value.replace(inTag, "\\$&")}`;
    }
    linePrefixes.set(series, prefix);
  }
  return /^[#\t\0]/.test(prefix) ? null : prefix;
}

/** `,mean_5m=` for each column: Avro's rule for names leaves nothing to escape. */
const fieldPrefixes = new WeakMap<readonly string[], string[]>();

function fieldPrefixesOf(columns: readonly string[]): string[] {
  let prefixes = fieldPrefixes.get(columns);
  if (prefixes === undefined) {
    prefixes = columns.map((column) => `,${column}=`);
    fieldPrefixes.set(columns, prefixes);
  }
  return prefixes;
}

/** The shortest text that reads back as the same double. Without a suffix it is a float to InfluxDB. */
function floatText(value: number): string {
  return value === 0 && 1 / value < 0 ? "-0" : String(value);
}

/**
 * One row as a line, without a line break. NaN and infinities cannot be written and are left out; null where no field
 * is left. `prefix` is the row's linePrefix.
 */
export function lineOf(
  prefix: string,
  frame: FeatureFrame,
  columns: readonly string[],
  row: number,
): string | null {
  const names = fieldPrefixesOf(columns);
  const value = frame.values[row];
  let fields = Number.isFinite(value) ? ` value=${floatText(value)}` : "";
  const { features } = frame;
  const width = names.length;
  for (let column = 0, i = row * width; column < width; column++, i++) {
    const feature = features[i];
    // NaN and infinities are not equal to themselves times zero.
    if (feature * 0 === 0) {
      const name = fields === "" ? ` ${columns[column]}=` : names[column];
      fields += name + floatText(feature);
    }
  }
  return fields === "" ? null : `${prefix}${fields} ${frame.timestamp}`;
}
