import type { Config } from "../shared/config-schema.js";
import { type Relabelling, compileRelabelling } from "./relabel.js";

/** One template as one job reads it. */
export interface Template {
  readonly name: string;
  /** The labels that name the entity. */
  readonly entity: readonly string[];
  readonly selectors: readonly string[];
}

/**
 * What a job reads, and what the jobs before it read of the same source: a series belongs to the first job and template that
 * match it, in the order of the configuration, whatever the job's rules make of it.
 */
export interface Assignment {
  readonly own: readonly Template[];
  readonly earlier: readonly Template[];
  readonly relabel: Relabelling;
  readonly limits: Config["extract"]["limits"];
}

export function assignmentOf(job: string, config: Config): Assignment {
  const { jobs, templates, limits } = config.extract;
  const templatesOf = (name: string): Template[] =>
    jobs[name].templates.map((template) => {
      const { entity, selectors } = templates[template];
      return { name: template, entity: config.entities[entity], selectors };
    });
  const names = Object.keys(jobs);
  return {
    own: templatesOf(job),
    earlier: names
      .slice(0, names.indexOf(job))
      .filter((name) => jobs[name].source === jobs[job].source)
      .flatMap(templatesOf),
    relabel: compileRelabelling(jobs[job].relabel),
    limits,
  };
}
