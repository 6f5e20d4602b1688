import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { it } from "node:test";
import { format, resolveConfig } from "prettier";
import { configurationReference } from "../../services/shared/config-reference.js";
import { etlSchema, pipelineSchema } from "../../services/shared/config-schema.js";
import { type SchemaNode, asNode, schemaTree } from "../../services/shared/config-words.js";

const file = "docs/configuration.md";

it("docs/configuration.md is what the schema says: `npm run docs` writes it", async () => {
  const options = { ...(await resolveConfig(file)), filepath: file };
  const reference = await format(configurationReference(), options);
  if (process.env["MILLRACE_TEST_UPDATE"] === "1") {
    mkdirSync("docs", { recursive: true });
    writeFileSync(file, reference);
  }
  assert.equal(readFileSync(file, "utf8"), reference);
});

it("every key has a description that ends as a sentence does", () => {
  for (const schema of [etlSchema, pipelineSchema]) {
    for (const [path, node] of descendants(schemaTree(schema), "")) {
      assert.match(node.description ?? "", /[.]$/, `${path} is not described`);
    }
  }
});

it("every bare number has bounds, and so has every list", () => {
  for (const schema of [etlSchema, pipelineSchema]) {
    for (const [path, node] of descendants(schemaTree(schema), "")) {
      const isNumber = node.type === "number" || node.type === "integer";
      const high = isNumber
        ? (node.maximum ?? node.exclusiveMaximum)
        : node.type === "array"
          ? node.maxItems
          : 0;
      const low = isNumber
        ? (node.minimum ?? node.exclusiveMinimum)
        : node.type === "array"
          ? node.minItems
          : 0;
      assert.ok(Number.isFinite(high) && Number.isFinite(low), `${path} is not bounded`);
      assert.ok(Math.abs(Number(high)) < Number.MAX_SAFE_INTEGER, `${path} is not bounded`);
    }
  }
});

/** Every key that the schema names, with its path. */
function descendants(node: SchemaNode, path: string): [string, SchemaNode][] {
  const own = Object.entries(node.properties ?? {}).map(
    ([key, child]) => [`${path}.${key}`, asNode(child)!] as const,
  );
  const entries = asNode(node.additionalProperties);
  const elements = asNode(node.items);
  return [
    ...own.flatMap(([at, child]): [string, SchemaNode][] => [[at, child], ...descendants(child, at)]),
    ...(elements === undefined ? [] : descendants(elements, `${path}[]`)),
    ...(entries === undefined ? [] : descendants(entries, `${path}.<name>`)),
  ];
}
