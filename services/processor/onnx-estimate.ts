import { createSyncFn } from "synckit";
import type { ImputerDeclaration, WindowOptions } from "../kernels/impute/declaration.js";
import { MillraceError } from "../shared/errors.js";
import type { OnnxAnswer, OnnxRequest } from "./onnx-thread.js";

/** A model sees the rows after a gap, too: those that learn to fill gaps look at both of their ends. */
export const onnxImputer: ImputerDeclaration<WindowOptions> = {
  name: "onnx",
  lookbackMs: ({ windowMs }) => windowMs,
  needsFarEnd: true,
};

/** Of a row-major table, NaN where missing, as many estimates. */
export type Estimate = (table: Float64Array) => Float64Array;

/**
 * onnxruntime answers by promises, and the operators must not wait for one: state that a frame has changed would be seen by the
 * next before its gaps are filled, by an order that depends on how long a model takes. So it runs in a thread of its own, for
 * which this one waits: its caller could do nothing else meanwhile, since what it computes next depends on the answer, and
 * onnxruntime itself computes in the thread that calls it. A table costs some 0.2 ms more than the model takes. The thread starts
 * with the first model, and ends with the process.
 */
const ask = (request: OnnxRequest): OnnxAnswer =>
  createSyncFn<(request: OnnxRequest) => Promise<OnnxAnswer>>(new URL("onnx-thread.js", import.meta.url))(
    request,
  );

/**
 * Loads a model for tables of so many columns, and tries it, as `openOnnxModel` has it. Throws MODEL_UNREADABLE, MODEL_SHAPE,
 * each with the place in the configuration that names the file.
 */
export function openEstimate(file: string, columns: number, place: string): Estimate {
  const answerTo = (request: OnnxRequest) => {
    const answer = ask(request);
    if ("code" in answer) throw new MillraceError(answer.code, `${place}: ${answer.message}`);
    return answer;
  };
  const opened = answerTo({ open: file, columns });
  if (!("model" in opened)) throw new Error("the thread answered something else");
  return (table) => {
    const answer = answerTo({ model: opened.model, table });
    if (!("estimates" in answer)) throw new Error("the thread answered something else");
    return answer.estimates;
  };
}
