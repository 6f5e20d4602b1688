import { type Extraction, type Extractor, createExtractor } from "../poller/extractor.js";
import { connectPrometheus } from "../poller/prometheus-client.js";
import type { Config } from "../shared/config-schema.js";
import { didYouMean } from "../shared/config-words.js";
import { type ErrorCode, MillraceError, exitCodeOf, exitCodes } from "../shared/errors.js";
import { jsonValue } from "../shared/frame-json.js";
import { fillTemplate } from "../shared/query-template.js";
import { sourcesOf } from "../shared/sources.js";
import { durationOf, parseTime } from "./time-option.js";
import { describedLines, seriesLines, valueLines, versionLine } from "./extract-view.js";
import type { Terminal } from "./terminal.js";

export interface ExtractOptions {
  readonly source: string;
  readonly json?: boolean;
}

export interface QueryOptions extends ExtractOptions {
  readonly template?: string;
  readonly param?: readonly string[];
}

/** The samples of a query_range of any length. */
export async function runExtractRange(
  config: Config,
  query: string | undefined,
  options: QueryOptions & { readonly from: string; readonly to: string; readonly step: string },
  terminal: Terminal,
): Promise<number> {
  const now = Date.now();
  const steps = {
    from: parseTime(options.from, "--from", now),
    to: parseTime(options.to, "--to", now),
    stepMs: durationOf(options.step, "--step"),
  };
  if (steps.from > steps.to)
    throw new MillraceError("USAGE_INVALID", "The time of --from must not be after that of --to.");
  const promql = queryOf(config, query, options);
  return extract(config, options, terminal, (extractor) => extractor.range(promql, steps), seriesLines);
}

/** The values of an expression at one time. */
export async function runExtractInstant(
  config: Config,
  query: string | undefined,
  options: QueryOptions & { readonly at: string },
  terminal: Terminal,
): Promise<number> {
  const at = parseTime(options.at, "--at", Date.now());
  const promql = queryOf(config, query, options);
  return extract(config, options, terminal, (extractor) => extractor.instant(promql, at), valueLines);
}

/** What there is to know of a metric, and of its series in the time before now. */
export async function runExtractMetadata(
  config: Config,
  metric: string,
  options: ExtractOptions & { readonly over: string },
  terminal: Terminal,
): Promise<number> {
  const to = Date.now();
  const window = { from: to - durationOf(options.over, "--over"), to };
  return extract(
    config,
    options,
    terminal,
    (extractor) => extractor.metadata(metric, window),
    describedLines,
  );
}

export async function runExtractCheck(
  config: Config,
  options: ExtractOptions,
  terminal: Terminal,
): Promise<number> {
  return extract(config, options, terminal, (extractor) => extractor.validate(), versionLine);
}

/** Asks, and prints: lines for a person; the whole extraction as JSON, where it failed, too. */
async function extract<Data>(
  config: Config,
  { source, json }: ExtractOptions,
  { print, stopping }: Terminal,
  ask: (extractor: Extractor) => Promise<Extraction<Data>>,
  linesOf: (data: Data, extraction: Extraction<Data>) => string[],
): Promise<number> {
  const servers = sourcesOf(config.extract);
  const server = servers.get(source);
  if (server === undefined)
    throw new MillraceError(
      "USAGE_INVALID",
      `There is no source ${source}${didYouMean(source, [...servers.keys()])}.`,
    );
  const client = connectPrometheus(server, { now: Date.now });
  try {
    const extraction = await ask(createExtractor({ client, source, signal: stopping, now: Date.now }));
    if (json === true) await print(JSON.stringify(plain(extraction), jsonValue, 2));
    if (extraction.data === null) {
      const { code, message } = extraction.error!;
      const error = new MillraceError(code as ErrorCode, message);
      if (json !== true) throw error;
      return exitCodeOf(error);
    }
    if (json !== true) for (const line of linesOf(extraction.data, extraction)) await print(line);
    return exitCodes.ok;
  } catch (error) {
    if (stopping.aborted) throw new MillraceError("INTERRUPTED", "Interrupted before the answer had come.");
    throw error;
  } finally {
    await client.close();
  }
}

/** Typed arrays as lists. */
function plain(value: unknown): unknown {
  if (value instanceof Float64Array) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, plain(child)]));
}

/** The query that is given, or that of a template with its parameters. */
function queryOf(
  { extract: { queries } }: Config,
  query: string | undefined,
  { template, param = [] }: QueryOptions,
): string {
  if ((query === undefined) === (template === undefined))
    throw new MillraceError("USAGE_INVALID", "Give a query, or the name of one with --template.");
  if (template === undefined) {
    if (param.length > 0) throw new MillraceError("USAGE_INVALID", "--param is for a --template.");
    return query!;
  }
  if (!Object.hasOwn(queries, template))
    throw new MillraceError(
      "USAGE_INVALID",
      `There is no query ${template} in extract.queries${didYouMean(template, Object.keys(queries))}.`,
    );
  const { query: text, parameters } = queries[template];
  return fillTemplate(text, parameters, Object.fromEntries(param.map(parameterOf)));
}

function parameterOf(text: string): [string, string] {
  const separator = text.indexOf("=");
  if (separator < 1)
    throw new MillraceError("USAGE_INVALID", `"${text}" in --param is none: write name=value.`);
  return [text.slice(0, separator), text.slice(separator + 1)];
}
