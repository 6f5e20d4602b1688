import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { parseConfig, parsePipelines } from "../../services/shared/config.js";
import { MillraceError } from "../../services/shared/errors.js";

const folder = "test/shared/fixtures/config";
const isUpdate = process.env["MILLRACE_TEST_UPDATE"] === "1";

/** The YAML files of a folder, each of which must have its twin with the other extension, and the other way round. */
function pairs(kind: "good" | "bad", extension: ".json" | ".txt"): string[] {
  const files = readdirSync(`${folder}/${kind}`);
  const names = (end: string) =>
    files.filter((file) => file.endsWith(end)).map((file) => file.slice(0, -end.length));
  assert.equal(
    names(".yaml").length + names(extension).length,
    files.length,
    `a stray file in ${folder}/${kind}`,
  );
  if (!isUpdate)
    assert.deepEqual(names(extension), names(".yaml"), `a file of ${folder}/${kind} lacks its twin`);
  return names(".yaml");
}

/** Files that begin with `pipelines` are configurations of the orchestrator. */
function parse(kind: string, name: string): unknown {
  const text = readFileSync(`${folder}/${kind}/${name}.yaml`, "utf8");
  return (name.startsWith("pipelines") ? parsePipelines : parseConfig)(text, `${name}.yaml`);
}

describe("good configuration files", () => {
  for (const name of pairs("good", ".json")) {
    it(name, () => {
      const parsed = parse("good", name);
      const expected = JSON.parse(readFileSync(`${folder}/good/${name}.json`, "utf8")) as Record<
        string,
        unknown
      >;
      for (const [path, value] of Object.entries(expected)) {
        assert.deepEqual(valueAt(parsed, path), value, path);
      }
    });
  }

  it("everything-changed leaves no key at its default", () => {
    const changed = leaves(parse("good", "everything-changed"));
    for (const [path, value] of leaves(parse("good", "empty"))) {
      assert.notDeepEqual(changed.get(path), value, `${path} has its default`);
    }
  });
});

describe("bad configuration files", () => {
  for (const name of pairs("bad", ".txt")) {
    it(name, () => {
      let message = "";
      assert.throws(
        () => parse("bad", name),
        (error) => {
          assert.ok(error instanceof MillraceError, String(error));
          assert.equal(error.code, "CONFIG_INVALID");
          message = error.message;
          return true;
        },
      );
      const file = `${folder}/bad/${name}.txt`;
      if (isUpdate) writeFileSync(file, `${message}\n`);
      assert.equal(`${message}\n`, readFileSync(file, "utf8"));
      assert.doesNotMatch(message, /hunter2/, "a secret in a message");
    });
  }
});

function valueAt(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((holder, key) => (holder as Record<string, unknown>)[key], value);
}

/** The values by their paths; lists and user-named entries count as values. */
function leaves(value: unknown, path = ""): Map<string, unknown> {
  const isLeaf = typeof value !== "object" || value === null || Array.isArray(value);
  if (isLeaf || /^\.(entities|extract\.(sources|templates|jobs))$/.test(path))
    return new Map([[path, value]]);
  return new Map(Object.entries(value).flatMap(([key, child]) => [...leaves(child, `${path}.${key}`)]));
}
