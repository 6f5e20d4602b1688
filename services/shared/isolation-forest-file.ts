import type { IsolationForest } from "../kernels/isolation-forest.js";
import { isolationForestOf } from "../kernels/isolation-tree-import.js";
import { readJsonFile } from "./config-json-file.js";

/** The forest that a file holds, for samples of one series; or, where it holds none, a text that says why. */
export function readIsolationForest(file: string): IsolationForest | string {
  const read = readJsonFile(file);
  if (typeof read === "string") return read;
  const forest = isolationForestOf(read.json);
  if (typeof forest === "string") return `${file} is no isolation forest: ${forest}`;
  if (forest.columns !== 1)
    return `${file} is a forest of ${forest.columns} columns; samples have one: their value, or a counter's rate`;
  return forest;
}
