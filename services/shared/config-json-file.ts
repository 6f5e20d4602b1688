import { readFileSync, statSync } from "node:fs";

/** What a configuration names is read whole into memory. */
const FILE_BYTES_MAX = 64_000_000;

/** The JSON that a file which a configuration names holds; or, where it holds none, a text that says why. */
export function readJsonFile(file: string): { readonly json: unknown } | string {
  let text: string;
  try {
    const stat = statSync(file);
    // What is no file, a pipe for one, may be silent for ever.
    if (!stat.isFile()) return `${file} is no file`;
    if (stat.size > FILE_BYTES_MAX) return `${file} is larger than ${FILE_BYTES_MAX} bytes`;
    text = readFileSync(file, "utf8");
  } catch (error) {
    return `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`;
  }
  try {
    return { json: JSON.parse(text) as unknown };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `${file} is no JSON (${reason.replaceAll(/\s+/g, " ")})`;
  }
}
