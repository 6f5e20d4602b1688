import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pythonFolder } from "./environment.js";

/** Answers of reference functions, beside the environment that gave them. */
export interface RememberedAnswers {
  readonly get: (request: string) => string | null;
  readonly set: (request: string, answer: string) => void;
}

/**
 * What a module's functions compute depends on the pinned environment, on the Python sources and on the request: a run after the
 * first need not ask again.
 */
export function openRememberedAnswers(module: string): RememberedAnswers {
  const folder = join(pythonFolder(), "answers");
  mkdirSync(folder, { recursive: true });
  const sources = hashOfSources();
  const fileOf = (request: string) =>
    join(folder, createHash("sha256").update(`${sources}\n${module}\n`).update(request).digest("hex"));
  return {
    get: (request) => {
      try {
        return readFileSync(fileOf(request), "utf8");
      } catch {
        return null;
      }
    },
    set: (request, answer) => {
      const file = fileOf(request);
      // Others may write the same; half an answer must not be found.
      const own = `${file}.${randomBytes(4).toString("hex")}`;
      writeFileSync(own, answer);
      renameSync(own, file);
    },
  };
}

/** Modules import each other: of all of them. */
function hashOfSources(): string {
  const hash = createHash("sha256");
  const files = readdirSync("test", { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".py"),
  );
  for (const file of files.sort()) hash.update(`${file}\n`).update(readFileSync(join("test", file)));
  return hash.digest("hex");
}
