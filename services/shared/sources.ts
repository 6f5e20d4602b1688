import type { Config } from "./config-schema.js";
import { DEFAULT_SOURCE } from "./source-name.js";

export type SourceConfig = Config["extract"]["prometheus"];

/** Every Prometheus of the configuration by its name, the default one first. */
export function sourcesOf({ prometheus, sources }: Config["extract"]): ReadonlyMap<string, SourceConfig> {
  return new Map([[DEFAULT_SOURCE, prometheus], ...Object.entries(sources)]);
}

/** Those that a job reads. */
export function readSources(extract: Config["extract"]): ReadonlyMap<string, SourceConfig> {
  const read = new Set(Object.values(extract.jobs).map(({ source }) => source));
  return new Map([...sourcesOf(extract)].filter(([name]) => read.has(name)));
}
