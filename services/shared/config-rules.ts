import { templateProblem } from "./query-template.js";
import { actionRefusal } from "../kernels/outlier-action.js";
import type { Config, Pipelines } from "./config-schema.js";
import { relabelProblems } from "./config-relabel.js";
import { matchProblem } from "./config-selector.js";
import { DEFAULT_SOURCE, PUSHED_SOURCE } from "./source-name.js";
import type { SourceConfig } from "./sources.js";
import { didYouMean } from "./config-words.js";
import { imputationKeys } from "./imputation-methods.js";

/** Rules that look across keys: each reports where the offending value stands, and what is wrong with it. */

export type Path = readonly PropertyKey[];

export function startsWith(path: Path, start: Path): boolean {
  return start.every((key, i) => key === path[i]);
}

export interface RuleContext {
  /** Whether the value there parsed. Rules run beside other problems, so they look at nothing else. */
  sound: (path: Path) => boolean;
  report: (path: Path, message: string) => void;
}

export function checkConfig(config: Config, context: RuleContext): void {
  checkReferences(config, context);
  checkSources(config, context);
  checkJobs(config, context);
  checkQueries(config, context);
  checkRelabelling(config, context);
  checkRemoteWrite(config, context);
  checkOutliers(config, context);
  checkImputation(config, context);
  checkValidation(config, context);
  checkWindows(config, context);
  checkFeatures(config, context);
  checkFrequency(config, context);
  checkCredentials(config, context);
  checkPorts(config, context);
  checkRetention(config, context);
}

function checkSources({ extract }: Config, { sound, report }: RuleContext): void {
  if (!sound(["extract", "sources"])) return;
  const names = Object.keys(extract.sources);
  const taken: Record<string, string> = {
    [DEFAULT_SOURCE]: "that of `extract.prometheus`",
    [PUSHED_SOURCE]: "that of `extract.remote_write`",
  };
  for (const name of names) {
    if (Object.hasOwn(taken, name)) report(["extract", "sources", name], `the name is ${taken[name]}`);
  }
  if (!sound(["extract", "jobs"])) return;
  for (const name of Object.keys(extract.jobs)) {
    const path = ["extract", "jobs", name, "source"];
    if (!sound(path)) continue;
    const known = [DEFAULT_SOURCE, ...names];
    const { source } = extract.jobs[name];
    if (!known.includes(source)) report(path, `there is no source \`${source}\`${didYouMean(source, known)}`);
  }
}

function checkReferences({ extract, entities }: Config, { sound, report }: RuleContext): void {
  const templatesPath = ["extract", "templates"];
  if (sound(templatesPath) && sound(["entities"])) {
    for (const name of Object.keys(extract.templates)) {
      const path = [...templatesPath, name, "entity"];
      if (!sound(path)) continue;
      const { entity } = extract.templates[name];
      if (!Object.hasOwn(entities, entity)) {
        report(path, `there is no entity \`${entity}\`${didYouMean(entity, Object.keys(entities))}`);
      }
    }
  }
  const jobsPath = ["extract", "jobs"];
  if (sound(templatesPath) && sound(jobsPath)) {
    for (const name of Object.keys(extract.jobs)) {
      const path = [...jobsPath, name, "templates"];
      if (!sound(path)) continue;
      extract.jobs[name].templates.forEach((template, i, templates) => {
        if (!sound([...path, i])) return;
        if (!Object.hasOwn(extract.templates, template)) {
          const known = Object.keys(extract.templates);
          report([...path, i], `there is no template \`${template}\`${didYouMean(template, known)}`);
        }
        if (templates.indexOf(template) < i) {
          report([...path, i], `the template \`${template}\` stands here twice`);
        }
      });
    }
  }
}

function checkJobs({ extract }: Config, { sound, report }: RuleContext): void {
  if (!sound(["extract", "jobs"])) return;
  for (const name of Object.keys(extract.jobs)) {
    const path = ["extract", "jobs", name];
    if (!sound([...path, "overlap"])) continue;
    const { overlap, max_window, catch_up_limit } = extract.jobs[name];
    if (sound([...path, "catch_up_limit"]) && catch_up_limit <= overlap) {
      report(
        [...path, "catch_up_limit"],
        "`catch_up_limit` must be longer than `overlap`, which every restart reads again",
      );
    }
    if (sound([...path, "max_window"]) && max_window <= overlap) {
      report(
        [...path, "max_window"],
        "`max_window` must be longer than `overlap`, or catching up would never get on",
      );
    }
  }
}

function checkQueries({ extract }: Config, { sound, report }: RuleContext): void {
  if (!sound(["extract", "queries"])) return;
  for (const [name, { query, parameters }] of Object.entries(extract.queries)) {
    const path = ["extract", "queries", name];
    if (!sound([...path, "query"]) || !sound([...path, "parameters"])) continue;
    const problem = templateProblem(query, parameters);
    if (problem !== null) report([...path, "query"], problem);
  }
}

function checkRelabelling({ extract }: Config, { sound, report }: RuleContext): void {
  if (!sound(["extract", "jobs"])) return;
  for (const name of Object.keys(extract.jobs)) {
    const path = ["extract", "jobs", name, "relabel"];
    if (!sound(path)) continue;
    extract.jobs[name].relabel.forEach((rule, i) => {
      if (!sound([...path, i]) || !Object.keys(rule).every((key) => sound([...path, i, key]))) return;
      for (const { at, message } of relabelProblems(rule)) report([...path, i, ...at], message);
    });
  }
}

function checkRemoteWrite({ extract, entities, telemetry }: Config, { sound, report }: RuleContext): void {
  const path = ["extract", "remote_write"];
  const areSound = (keys: readonly string[]) => keys.every((key) => sound([...path, key]));
  if (!areSound(["enabled"]) || !extract.remote_write.enabled) return;
  const { entity, host, port, tls, ...given } = extract.remote_write;
  if (areSound(["entity"]) && sound(["entities"]) && !Object.hasOwn(entities, entity)) {
    const hint = didYouMean(entity, Object.keys(entities));
    report([...path, "entity"], `there is no entity \`${entity}\`${hint}`);
  }
  if (areSound(["templates"]) && sound(["extract", "templates"])) {
    given.templates.forEach((name, i) => {
      const at = [...path, "templates", i];
      if (!sound(at)) return;
      if (!Object.hasOwn(extract.templates, name)) {
        const hint = didYouMean(name, Object.keys(extract.templates));
        report(at, `there is no template \`${name}\`${hint}`);
      } else if (sound(["extract", "templates", name, "selectors"])) {
        const problems = extract.templates[name].selectors
          .filter((_, k) => sound(["extract", "templates", name, "selectors", k]))
          .map(matchProblem);
        const problem = problems.find((found) => found !== null);
        if (problem !== undefined) report(at, `pushed series cannot be matched: ${problem}`);
      }
    });
  }
  const isSecured =
    "bearer_token_file" in given ||
    "username" in given ||
    !areSound(["tls"]) ||
    tls?.client_ca_file !== undefined;
  if (areSound(["host"]) && !isSecured && !isLoopback(host)) {
    report(
      [...path, "host"],
      "an address beyond this machine needs `bearer_token_file`, `username` or `tls.client_ca_file` beside it",
    );
  }
  if (!areSound(["port"]) || port === 0 || !sound(["telemetry", "ports"])) return;
  const other = Object.entries(telemetry.ports).find(([, taken]) => taken === port);
  if (other !== undefined) report([...path, "port"], `the port ${port} is that of the ${other[0]}, too`);
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

function checkOutliers({ transform }: Config, { sound, report }: RuleContext): void {
  const path = ["transform", "cleaning"];
  if (!sound([...path, "outlier_detection"])) return;
  const { outlier_detection: method, outlier_action: action, isolation_forests } = transform.cleaning;
  const forests = [...path, "isolation_forests"];
  if (method !== "isolation_forest" && sound(forests) && Object.keys(isolation_forests).length > 0)
    report(forests, `\`isolation_forests\` says nothing to \`${method}\`; it is for \`isolation_forest\``);
  if (!sound([...path, "outlier_action"]) || method === "none") return;
  const refusal = actionRefusal(method, action);
  if (refusal !== null) report([...path, "outlier_action"], refusal);
}

function checkImputation({ transform }: Config, { sound, report }: RuleContext): void {
  const path = ["transform", "imputation"];
  if (!sound([...path, "method"])) return;
  const { imputation } = transform;
  for (const [key, methods] of Object.entries(imputationKeys)) {
    if (
      !(key in imputation) ||
      !sound([...path, key]) ||
      methods.some((method) => method === imputation.method)
    )
      continue;
    const names = methods.map((method) => `\`${method}\``).join(", ");
    report(
      [...path, key],
      `\`${key}\` says nothing to the method \`${imputation.method}\`; it is for ${names}`,
    );
  }
  const isSound = (key: string) => sound([...path, key]);
  const { method, group_by, series_max, model_path, model_columns } = imputation;
  const isOfSeries = method === "mean" || method === "median";
  if (isOfSeries && isSound("series_max") && series_max !== undefined && group_by === undefined)
    report(
      [...path, "series_max"],
      "`series_max` needs `group_by` beside it: else no other series is looked at",
    );
  if (isSound("group_by")) noTwoAlike(group_by ?? [], [...path, "group_by"], "label", { sound, report });
  if (method === "onnx") {
    if (isSound("model_path") && model_path === undefined)
      report([...path, "method"], "`onnx` needs `model_path` beside it");
    if (isSound("model_columns") && model_columns === undefined)
      report([...path, "method"], "`onnx` needs `model_columns` beside it");
  }
  if (isSound("model_columns"))
    noTwoAlike(model_columns ?? [], [...path, "model_columns"], "selector", { sound, report });
}

function noTwoAlike(
  texts: readonly string[],
  path: Path,
  what: string,
  { sound, report }: RuleContext,
): void {
  texts.forEach((text, i) => {
    if (sound([...path, i]) && texts.indexOf(text) < i)
      report([...path, i], `the ${what} \`${text}\` stands here twice`);
  });
}

function checkValidation({ transform }: Config, { sound, report }: RuleContext): void {
  const path = ["transform", "cleaning", "rules"];
  if (sound([...path, "range"])) {
    for (const [name, rule] of Object.entries(transform.cleaning.rules.range)) {
      const at = [...path, "range", name];
      if (!sound(at) || !["min", "max", "exclusive"].every((key) => sound([...at, key]))) continue;
      const { min, max, exclusive } = rule;
      if (min === undefined && max === undefined) report(at, "a range needs `min` or `max`");
      else if (min !== undefined && max !== undefined && (min > max || (exclusive && min === max)))
        report([...at, "max"], `no value is from ${min} to ${max}${exclusive ? ", both excluded" : ""}`);
    }
  }
  if (!sound([...path, "order"])) return;
  for (const name of Object.keys(transform.cleaning.rules.order)) {
    const at = [...path, "order", name, "ascending"];
    if (!sound(at)) continue;
    transform.cleaning.rules.order[name].ascending.forEach((match, i, all) => {
      if (sound([...at, i]) && all.indexOf(match) < i) report([...at, i], "the selector stands here twice");
    });
  }
}

/** A window that is shorter than the time between two samples holds one at the most. */
function checkWindows(config: Config, { sound, report }: RuleContext): void {
  const { imputation, feature_engineering } = config.transform;
  if (!sound(["transform", "imputation", "interval"]) || imputation.interval === "auto") return;
  const { interval } = imputation;
  const isTooShort = "is shorter than `transform.imputation.interval`";
  for (const key of ["rolling_windows", "slope_windows"] as const) {
    const path = ["transform", "feature_engineering", key];
    if (!sound(path)) continue;
    feature_engineering[key].forEach(({ name, ms }, i) => {
      if (sound([...path, i]) && ms < interval) report([...path, i], `the window ${name} ${isTooShort}`);
    });
  }
  const statistics = ["transform", "feature_engineering", "statistics"];
  if (sound(statistics) && sound([...statistics, "window"])) {
    const window = feature_engineering.statistics?.window;
    if (window !== undefined && window.ms < interval)
      report([...statistics, "window"], `the window ${window.name} ${isTooShort}`);
  }
  checkEpoch(config, interval, { sound, report });
}

/** An epoch that cannot hold the fewest samples never tells of a drift. */
function checkEpoch({ transform }: Config, interval: number, { sound, report }: RuleContext): void {
  const path = ["transform", "feature_engineering", "page_hinkley"];
  if (!["", "epoch", "fewest_samples"].every((key) => sound(key === "" ? path : [...path, key]))) return;
  const wanted = transform.feature_engineering.page_hinkley;
  if (wanted === undefined || wanted.epoch.ms >= wanted.fewest_samples * interval) return;
  report(
    [...path, "epoch"],
    `the epoch ${wanted.epoch.name} has fewer than ${wanted.fewest_samples} samples (\`fewest_samples\`) at \`transform.imputation.interval\``,
  );
}

/** Fewer samples have no spectrum worth its name, and more take long at every row. */
const FREQUENCY_SAMPLES = { min: 4, max: 10_000 };

function checkFrequency({ transform }: Config, { sound, report }: RuleContext): void {
  const path = ["transform", "feature_engineering", "frequency"];
  const at = (key: string) => [...path, key];
  if (!sound(path) || !sound(at("window")) || !sound(at("interval"))) return;
  const { frequency } = transform.feature_engineering;
  if (frequency === undefined) return;
  const samples = Math.floor(frequency.window.ms / frequency.interval);
  const { min, max } = FREQUENCY_SAMPLES;
  if (samples < min || samples > max)
    report(
      at("window"),
      `the window ${frequency.window.name} holds ${samples} intervals; ${min} to ${max} are possible`,
    );
  const { imputation } = transform;
  if (!sound(["transform", "imputation", "interval"]) || imputation.interval === "auto") return;
  if (frequency.interval < imputation.interval)
    report(at("interval"), "the interval is shorter than `transform.imputation.interval`");
}

function checkFeatures({ transform }: Config, { sound, report }: RuleContext): void {
  const path = ["transform", "feature_engineering"];
  /** Reports every element that equals an earlier one. */
  const noTwo = <T>(
    keys: readonly string[],
    elements: () => T[],
    same: (a: T, b: T) => boolean,
    what: (a: T, b: T) => string,
  ) => {
    const list = [...path, ...keys];
    if (!keys.every((_, i) => sound([...path, ...keys.slice(0, i + 1)]))) return;
    elements().forEach((element, i, all) => {
      if (!sound([...list, i])) return;
      const first = all.findIndex((other, j) => sound([...list, j]) && same(other, element));
      if (first < i) report([...list, i], what(element, all[first]));
    });
  };
  for (const key of ["rolling_windows", "slope_windows", "momentum"] as const) {
    noTwo(
      [key],
      () => transform.feature_engineering[key],
      (a, b) => a.ms === b.ms,
      (a, b) => `the window ${a.name} is as long as the window ${b.name} before it`,
    );
  }
  const noTwice = (keys: readonly string[], elements: () => (string | number)[]) =>
    noTwo(
      keys,
      elements,
      (a, b) => a === b,
      (a) => `${a} stands here twice`,
    );
  for (const key of ["aggregation_functions", "percentiles"] as const)
    noTwice([key], () => transform.feature_engineering[key]);
  noTwice(["frequency", "features"], () => transform.feature_engineering.frequency?.features ?? []);
  for (const key of ["features", "lags", "supports", "sigmas"] as const)
    noTwice(["statistics", key], () => transform.feature_engineering.statistics?.[key] ?? []);
}

function checkCredentials({ extract, kafka, registry }: Config, { sound, report }: RuleContext): void {
  const needs = (path: Path, holder: () => object, key: string, other: string) => {
    if (!sound(path) || !sound([...path, key]) || !sound([...path, other])) return;
    if (key in holder() && !(other in holder())) {
      report([...path, key], `\`${key}\` needs \`${other}\` beside it`);
    }
  };
  const both = (path: Path, holder: () => object, key: string, other: string) => {
    needs(path, holder, key, other);
    needs(path, holder, other, key);
  };
  /** Of one Prometheus, or of those that send to Millrace. */
  const http = (path: Path, holder: () => object) => {
    both(path, holder, "username", "password_file");
    const bearer = [...path, "bearer_token_file"];
    if (sound(bearer) && "bearer_token_file" in holder() && "username" in holder())
      report(bearer, "`bearer_token_file` and `username` exclude each other");
  };
  const prometheus = (path: Path, holder: () => SourceConfig) => {
    http(path, holder);
    both([...path, "tls"], () => holder().tls ?? {}, "cert_file", "key_file");
  };
  prometheus(["extract", "prometheus"], () => extract.prometheus);
  for (const name of sound(["extract", "sources"]) ? Object.keys(extract.sources) : [])
    prometheus(["extract", "sources", name], () => extract.sources[name]);
  http(["extract", "remote_write"], () => extract.remote_write);
  both(["kafka", "tls"], () => kafka.tls ?? {}, "cert_file", "key_file");
  both(["registry"], () => registry, "username", "password_file");
}

function checkPorts({ telemetry }: Config, { sound, report }: RuleContext): void {
  const path = ["telemetry", "ports"];
  if (!sound(path)) return;
  const services = Object.keys(telemetry.ports) as (keyof Config["telemetry"]["ports"])[];
  services.forEach((service, i) => {
    const port = telemetry.ports[service];
    if (port === 0 || !sound([...path, service])) return;
    const other = services.slice(0, i).find((earlier) => telemetry.ports[earlier] === port);
    if (other !== undefined) report([...path, service], `the port ${port} is that of the ${other}, too`);
  });
}

function checkRetention({ load }: Config, { sound, report }: RuleContext): void {
  const path = ["load", "influxdb", "retention_policies"];
  if (!sound(path)) return;
  const { retention_policies } = load.influxdb;
  for (const [shorter, longer] of [
    ["hot", "warm"],
    ["warm", "cold"],
  ] as const) {
    if (!sound([...path, shorter]) || !sound([...path, longer])) continue;
    if (retention_policies[longer] < retention_policies[shorter]) {
      report([...path, longer], `\`${longer}\` must not be shorter than \`${shorter}\``);
    }
  }
}

export function checkPipelines({ pipelines }: Pipelines, { sound, report }: RuleContext): void {
  if (!sound(["pipelines"])) return;
  const order = ["extract", "transform", "load"];
  for (const name of Object.keys(pipelines)) {
    const path = ["pipelines", name, "stages"];
    if (!sound(path)) continue;
    pipelines[name].stages.forEach((stage, i, stages) => {
      if (i === 0 || !sound([...path, i]) || !sound([...path, i - 1])) return;
      const before = stages[i - 1];
      if (order.indexOf(stage) <= order.indexOf(before)) {
        report([...path, i], `the stage ${stage} cannot follow ${before}; the order is ${order.join(", ")}`);
      }
    });
  }
}
