import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { it } from "node:test";
import { format, resolveConfig } from "prettier";
import {
  type ErrorCode,
  MillraceError,
  errorTable,
  exitCodeOf,
  exitCodes,
} from "../../services/shared/errors.js";

const file = "docs/errors.md";

const text = `# Errors

<!-- Written by \`npm run docs\` from services/shared/errors.ts: change the texts there. -->

A command tells an error in one line on standard error, \`CODE: what happened, and what to do\`; a service logs it with \`code\` and
\`action\`; a message that cannot be processed is in metrics.dead with its code in the headers.

**Tried again**: the error may pass, so Millrace itself tries again, waiting longer each time; a command that a person waits for
ends with exit code ${exitCodes.unavailable} instead.

| Code | Tried again | Exit code | What to do |
| --- | --- | --- | --- |
${(Object.keys(errorTable) as ErrorCode[])
  .map((code) => {
    const { retryable, action } = errorTable[code];
    const exitCode = exitCodeOf(new MillraceError(code, "x"));
    return `| \`${code}\` | ${retryable ? "yes" : "no"} | ${exitCode} | ${action.replaceAll("|", "\\|")} |`;
  })
  .join("\n")}
`;

it("docs/errors.md is what the error table says: `npm run docs` writes it", async () => {
  const reference = await format(text, { ...(await resolveConfig(file)), filepath: file });
  if (process.env["MILLRACE_TEST_UPDATE"] === "1") writeFileSync(file, reference);
  assert.equal(readFileSync(file, "utf8"), reference);
});

it("every error says what to do, in sentences", () => {
  for (const [code, { action }] of Object.entries(errorTable)) assert.match(action, /^[A-Z`].*[.]$/, code);
});
