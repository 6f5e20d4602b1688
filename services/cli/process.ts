import { of } from "rxjs";
import { conversionErrors } from "../kernels/convert/conversion.js";
import { featurePlan } from "../processor/feature-plan.js";
import { transform } from "../processor/pipeline.js";
import { compileRules } from "../processor/rules/compile-rules.js";
import { openFrameJudge } from "../processor/rules/judge-frame.js";
import { openPartitionState } from "../processor/state/partition-state.js";
import type { Config } from "../shared/config-schema.js";
import { exitCodes } from "../shared/errors.js";
import { featureFrameLine } from "../shared/frame-json.js";
import type { RawFrame } from "../shared/frame.js";
import { openOutput } from "./open-output.js";
import { countText, secondsText } from "./quantities.js";
import { interrupted, readFrames } from "./read-frames.js";
import type { Terminal } from "./terminal.js";

/** Output is handed on in pieces of about so many characters. */
const CHUNK_CHARACTERS = 65_536;

export interface ProcessOptions {
  /** A file, or `-` for standard input. */
  readonly input: string;
  /** A file, or `-` for standard output. */
  readonly output: string;
}

/** Frames as JSON lines through the processor's operators. Each frame is a batch of its own: corrections follow what causes them. */
export async function runProcess(
  config: Config,
  options: ProcessOptions,
  terminal: Terminal,
): Promise<number> {
  const startedAt = performance.now();
  const plan = featurePlan(config);
  const rules = compileRules(config.transform.cleaning.rules);
  const counts = new Map<string, number>();
  const count = (what: string, samples = 1) => void counts.set(what, (counts.get(what) ?? 0) + samples);
  const settling = {
    plan,
    strict: config.transform.cleaning.validation_rules === "strict",
    judge: openFrameJudge(rules, {
      broken: (rule) => count(`broke ${rules.names[rule]}`),
      failed: (rule) => count(`had no answer of ${rules.names[rule]}`),
    }),
    count,
    onTypeChange: () => count("changed type"),
  };
  const operator = transform(settling, openPartitionState());
  const output = openOutput(options.output, terminal);
  let samples = 0;
  let offset = 0;
  let emitted = 0;
  let chunk = "";
  const take = (frame: RawFrame) => {
    samples += frame.series.length;
    countUnconverted(frame, count);
    of({ offset: offset++, frame })
      .pipe(operator)
      .subscribe((rows) => {
        chunk += `${featureFrameLine(rows, plan.columns)}\n`;
        emitted++;
      });
    // What is piped in may come slowly, and is wanted as it comes.
    if (chunk.length < CHUNK_CHARACTERS && options.input !== "-") return undefined;
    const written = output.write(chunk);
    chunk = "";
    return written;
  };
  try {
    await readFrames(config, options, terminal, take);
    terminal.stopping.throwIfAborted();
    await output.write(chunk);
    await output.complete();
  } catch (error) {
    output.abandon();
    if (terminal.stopping.aborted) return interrupted(terminal, offset);
    throw error;
  }
  const irregular = [...counts].map(([what, samples]) => `, ${countText(samples)} ${what}`).join("");
  process.stderr.write(
    `${countText(offset)} frames of ${countText(samples)} samples → ${countText(emitted)} frames of features ` +
      `in ${secondsText((performance.now() - startedAt) / 1000)}${irregular}\n`,
  );
  return exitCodes.ok;
}

function countUnconverted({ given }: RawFrame, count: (what: string) => void): void {
  if (given === undefined) return;
  for (const error of given.errors) if (error !== 0) count(`not converted (${conversionErrors[error]})`);
}
