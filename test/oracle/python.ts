import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { resolve } from "node:path";
import { pythonFolder } from "./environment.js";
import { openRememberedAnswers } from "./remembered-answers.js";

/** What may go to Python and come back: doubles to the bit as Float64Array, tables of them row by row. */
export type PythonValue =
  | null
  | boolean
  | number
  | string
  | Float64Array
  | Table
  | readonly PythonValue[]
  | { readonly [key: string]: PythonValue };

/** A numpy array of two dimensions, row-major. */
export interface Table {
  readonly values: Float64Array;
  readonly shape: readonly number[];
}

/** A Python process that has one module of reference functions loaded. */
export interface Python {
  /**
   * Calls a function of the module. A numpy array or float comes back as Float64Array, one of two dimensions as Table.
   * Rejects with Python's traceback.
   */
  readonly call: <Result extends PythonValue>(
    name: string,
    ...args: readonly PythonValue[]
  ) => Promise<Result>;
  readonly close: () => Promise<void>;
}

/**
 * `module` is a Python file by its path from the project's folder, such as test/kernels/trend.oracle.py. Answers are remembered
 * from run to run where its functions are known to do nothing but compute.
 */
export function openPython(module: string, options: { remembers?: boolean } = {}): Python {
  const remembered = options.remembers === true ? openRememberedAnswers(module) : null;
  let python: PythonProcess | null = null;
  const answerTo = async (request: string): Promise<string> => {
    const known = remembered?.get(request) ?? null;
    if (known !== null) return known;
    python ??= startPython(module);
    const answer = await python.ask(request);
    remembered?.set(request, answer);
    return answer;
  };
  let turn: Promise<unknown> = Promise.resolve();
  return {
    call: <Result extends PythonValue>(name: string, ...args: readonly PythonValue[]) => {
      const request = JSON.stringify({ call: name, arguments: args.map(encode) });
      const asked = turn.then(async () => decode(JSON.parse(await answerTo(request)) as Encoded));
      turn = asked.catch(() => undefined);
      return asked as Promise<Result>;
    },
    close: async () => {
      await python?.close();
    },
  };
}

interface PythonProcess {
  /** Resolves to the encoded result; rejects with Python's traceback. */
  readonly ask: (request: string) => Promise<string>;
  readonly close: () => Promise<void>;
}

function startPython(module: string): PythonProcess {
  const child = spawn(
    resolve(pythonFolder(), "bin/python"),
    ["-u", resolve("test/oracle/serve.py"), resolve(module)],
    // One thread: what the libraries compute must not depend on how many cores there are.
    {
      env: {
        PATH: process.env["PATH"],
        HOME: process.env["HOME"],
        OMP_NUM_THREADS: "1",
        OPENBLAS_NUM_THREADS: "1",
        NUMBA_NUM_THREADS: "1",
        PYTHONDONTWRITEBYTECODE: "1",
      },
      stdio: ["pipe", "pipe", "pipe"],
    },
  );
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-10_000)));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    ask: async (request) => {
      child.stdin.write(`${request}\n`);
      const { done, value } = (await lines.next()) as IteratorResult<string, undefined>;
      if (done === true) throw new Error(`Python ended.\n${errors}`);
      const answer = JSON.parse(value) as { result?: Encoded; error?: string };
      if (answer.error !== undefined) throw new Error(answer.error);
      return JSON.stringify(answer.result ?? null);
    },
    close: async () => {
      if (child.exitCode !== null) return;
      child.stdin.end();
      await once(child, "close");
    },
  };
}

type Encoded = null | boolean | number | string | Encoded[] | { [key: string]: Encoded };

function encode(value: PythonValue): Encoded {
  if (value instanceof Float64Array) return encodeArray(value, [value.length]);
  if (Array.isArray(value)) return value.map(encode);
  if (typeof value !== "object" || value === null) return value;
  if (isTable(value)) return encodeArray(value.values, value.shape);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, encode(item)]));
}

function isTable(value: object): value is Table {
  return "values" in value && value.values instanceof Float64Array && "shape" in value;
}

function encodeArray(values: Float64Array, shape: readonly number[]): Encoded {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return { float64: bytes.toString("base64"), shape: [...shape] };
}

function decode(value: Encoded): PythonValue {
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value !== "object" || value === null) return value;
  const { float64, shape } = value;
  if (typeof float64 === "string" && Array.isArray(shape)) {
    const bytes = Buffer.from(float64, "base64");
    const values = new Float64Array(bytes.byteLength / 8);
    new Uint8Array(values.buffer).set(bytes);
    return shape.length <= 1 ? values : { values, shape: shape as number[] };
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
}
