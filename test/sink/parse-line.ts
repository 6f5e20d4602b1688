/** A line of line protocol as InfluxDB 2.7 reads it, written after its parser and from nothing of services/sink. */
export interface ParsedLine {
  measurement: string;
  /** In the line's order. */
  tags: [string, string][];
  fields: [string, number][];
  timestamp: number;
}

/** Throws where InfluxDB would refuse the line. */
export function parseLine(line: string): ParsedLine {
  if (/^[#\s\0]/.test(line)) throw new Error("a comment, or white space that is skipped");
  if (/[\n\r]/.test(line)) throw new Error("a line break");
  const [key, rest] = cut(line, " ");
  const [fields, time] = cut(rest, " ");
  if (!/^-?\d+$/.test(time)) throw new Error(`bad timestamp ${time}`);
  const [name, ...tags] = splitAt(key, ",");
  return {
    measurement: unescape(name, ", "),
    tags: tags.map((tag) => {
      const parts = splitAt(tag, "=");
      if (parts.length !== 2 || parts.includes("")) throw new Error(`bad tag ${tag}`);
      const [tagName, value] = parts;
      return [unescape(tagName, ", ="), unescape(value, ", =")];
    }),
    fields: splitAt(fields, ",").map((field) => {
      const [fieldName, value] = cut(field, "=");
      if (!/^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)) throw new Error(`no float: ${value}`);
      return [fieldName, Number(value)];
    }),
    timestamp: Number(time),
  };
}

/** At the first separator that no backslash precedes. */
function cut(text: string, separator: string): [string, string] {
  for (let i = 1; i < text.length; i++) {
    if (text[i] === separator && text[i - 1] !== "\\") return [text.slice(0, i), text.slice(i + 1)];
  }
  throw new Error(`no ${JSON.stringify(separator)} in ${text}`);
}

function splitAt(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === separator && (i === 0 || text[i - 1] !== "\\")) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  return [...parts, text.slice(start)];
}

function unescape(text: string, escaped: string): string {
  let result = text;
  for (const character of escaped) result = result.replaceAll(`\\${character}`, character);
  return result;
}
