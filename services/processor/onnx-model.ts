import { access, constants } from "node:fs/promises";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { MillraceError } from "../shared/errors.js";

/** A model that estimates the cells of tables with so many columns. */
export interface OnnxModel {
  readonly columns: number;
  /** Of a row-major table, NaN where missing, as many estimates. */
  readonly estimate: (values: Float64Array) => Promise<Float64Array>;
  readonly close: () => Promise<void>;
}

/** One thread, so that sums are always added up in the same order, and partitions do not take each other's cores. */
const sessionOptions: InferenceSession.SessionOptions = {
  executionProviders: ["cpu"],
  executionMode: "sequential",
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 4,
};

/** So many rows the model is tried on when it is loaded. */
const triedRows = 2;

/**
 * Loads a model for tables of `columns` series, in the order of their columns. What it must look like:
 * - input: float32 or float64, [rows, columns], one row a frame, oldest first, NaN where a value is missing; rows are free;
 * - optionally a second input, named `mask`, of the same type and shape: 1 where a value is present, 0 where it is missing;
 * - one output: float32 or float64, [rows, columns], an estimate of each cell. Those of the missing ones are taken.
 *
 * Throws MODEL_UNREADABLE for a file that is missing or no model, MODEL_SHAPE for one that takes or answers something else: by
 * what it declares, and by what it answers to two rows.
 */
export async function openOnnxModel(path: string, columns: number): Promise<OnnxModel> {
  const session = await load(path);
  try {
    const inputs = inputsOf(path, session, columns);
    const output = outputOf(path, session, columns);
    const estimate = (values: Float64Array): Promise<Float64Array> =>
      run(path, session, inputs, output, values, columns);
    await estimate(new Float64Array(triedRows * columns).fill(NaN, 0, 1));
    return { columns, estimate, close: () => session.release() };
  } catch (error) {
    await session.release();
    throw error;
  }
}

async function load(path: string): Promise<InferenceSession> {
  try {
    await access(path, constants.R_OK);
    return await InferenceSession.create(path, sessionOptions);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MillraceError("MODEL_UNREADABLE", `${path} cannot be loaded as a model: ${reason}.`, {
      cause: error,
    });
  }
}

interface Port {
  readonly name: string;
  readonly type: "float32" | "float64";
}

interface Inputs {
  readonly values: Port;
  readonly mask: Port | undefined;
}

function inputsOf(path: string, { inputMetadata }: InferenceSession, columns: number): Inputs {
  const maskIndex = inputMetadata.length === 2 ? inputMetadata.findIndex(({ name }) => name === "mask") : -1;
  if (inputMetadata.length !== (maskIndex < 0 ? 1 : 2)) {
    const names = inputMetadata.map(({ name }) => name).join(", ");
    throw shapeError(path, `has the inputs ${names}; one is expected, or a second one named mask`);
  }
  const [values] = inputMetadata.filter((_, i) => i !== maskIndex);
  return {
    values: portOf(path, "input", values, columns),
    mask: maskIndex < 0 ? undefined : portOf(path, "input", inputMetadata[maskIndex], columns),
  };
}

function outputOf(path: string, { outputMetadata }: InferenceSession, columns: number): Port {
  if (outputMetadata.length !== 1)
    throw shapeError(path, `has ${outputMetadata.length} outputs; one is expected`);
  return portOf(path, "output", outputMetadata[0], columns);
}

/** A shape that the model does not declare is left to the trial. */
function portOf(
  path: string,
  kind: "input" | "output",
  metadata: InferenceSession.ValueMetadata,
  columns: number,
): Port {
  const { name } = metadata;
  if (!metadata.isTensor) throw shapeError(path, `has an ${kind} ${name} that is no tensor`);
  const { type, shape } = metadata;
  if (type !== "float32" && type !== "float64") {
    throw shapeError(path, `has an ${kind} ${name} of ${type}; float32 or float64 is expected`);
  }
  const expected = `[rows, ${columns}] with free rows`;
  const isRight = shape.length === 0 || (shape.length === 2 && isFree(shape[0]) && fits(shape[1], columns));
  if (!isRight) {
    throw shapeError(path, `has an ${kind} ${name} of shape [${shape.join(", ")}]; ${expected} is expected`);
  }
  return { name, type };
}

/** A symbolic dimension is a text, and one without a name −1 or empty. */
function isFree(dimension: number | string): boolean {
  return typeof dimension === "string" || dimension < 0;
}

function fits(dimension: number | string, columns: number): boolean {
  return isFree(dimension) || dimension === columns;
}

async function run(
  path: string,
  session: InferenceSession,
  { values: port, mask }: Inputs,
  output: Port,
  values: Float64Array,
  columns: number,
): Promise<Float64Array> {
  const shape = [values.length / columns, columns];
  const known = values.map((value) => (value - value === 0 ? value : NaN));
  const feeds: Record<string, Tensor> = { [port.name]: tensorOf(port, known, shape) };
  if (mask !== undefined) {
    const present = known.map((value) => (Number.isNaN(value) ? 0 : 1));
    feeds[mask.name] = tensorOf(mask, present, shape);
  }
  const answer = await answerOf(path, session, feeds, output);
  if (answer.dims.length !== 2 || answer.dims[0] !== shape[0] || answer.dims[1] !== shape[1]) {
    throw shapeError(path, `answers a table of [${shape.join(", ")}] with [${answer.dims.join(", ")}]`);
  }
  return Float64Array.from(answer.data as Float32Array | Float64Array);
}

async function answerOf(
  path: string,
  session: InferenceSession,
  feeds: Record<string, Tensor>,
  output: Port,
): Promise<Tensor> {
  try {
    return (await session.run(feeds))[output.name];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MillraceError("MODEL_SHAPE", `${path} cannot compute a table: ${reason}.`, { cause: error });
  }
}

function tensorOf({ type }: Port, values: Float64Array, shape: readonly number[]): Tensor {
  return type === "float32"
    ? new Tensor("float32", Float32Array.from(values), shape)
    : new Tensor("float64", values, shape);
}

function shapeError(path: string, what: string): MillraceError {
  return new MillraceError("MODEL_SHAPE", `${path} ${what}.`);
}
