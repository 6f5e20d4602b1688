import { compileRules } from "../../../services/processor/rules/compile-rules.js";
import { openFrameJudge } from "../../../services/processor/rules/judge-frame.js";
import { compileSampleExpression } from "../../../services/shared/config-expression.js";
import { type Sample, configuredRules, frameOf, rulesOf } from "./rule-frames.js";

/**
 * Nanoseconds a sample of judging frames, and of a rule in CEL beside the same comparison written in JavaScript. `node
 * dist/test/processor/rules/judge-frame.bench.js`
 */

const silent = { broken: () => undefined, failed: () => undefined };

/** The median of five runs, after one to warm up. Time of the processor: what else the machine does counts little. */
function nanoseconds(times: number, run: (i: number) => void): number {
  const runs = Array.from({ length: 6 }, () => {
    const before = process.cpuUsage();
    for (let i = 0; i < times; i++) run(i);
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1_000) / times;
  });
  return runs.slice(1).sort((a, b) => a - b)[2];
}

function report(name: string, ns: number): void {
  process.stdout.write(`${name}: ${ns.toFixed(1)} ns a sample\n`);
}

/** As a node exporter's frame: `matching` of the samples are percentages, the others nothing that a rule is about. */
function samplesWith(matching: number): Sample[] {
  return Array.from({ length: 500 }, (_, i) => ({
    series: i < matching ? `cpu_usage_percent{cpu="${i}"}` : `node_network_bytes_${i}{device="eth0"}`,
    value: i % 100,
  }));
}

const all = { match: '{__name__=~"cpu_.+"}' };
const cases = [
  { name: "no rules", rules: rulesOf({}), matching: 500 },
  {
    name: "the default rules, none of which is about the frame",
    rules: compileRules(configuredRules({})),
    matching: 0,
  },
  { name: "the default rules, a tenth in a range", rules: compileRules(configuredRules({})), matching: 50 },
  { name: "the default rules, all in a range", rules: compileRules(configuredRules({})), matching: 500 },
  {
    name: "CEL about a tenth",
    rules: rulesOf({ sample: { a: { ...all, holds: "value >= 0.0 && value <= 100.0" } } }),
    matching: 50,
  },
  {
    name: "CEL about all",
    rules: rulesOf({ sample: { a: { ...all, holds: "value >= 0.0 && value <= 100.0" } } }),
    matching: 500,
  },
  {
    name: "CEL about the frame",
    rules: rulesOf({
      frame: { a: { holds: "v('cpu_usage_percent{cpu=\"1\"}') <= v('cpu_usage_percent{cpu=\"2\"}')" } },
    }),
    matching: 500,
  },
];
for (const { name, rules, matching } of cases) {
  const frame = frameOf(samplesWith(matching));
  const flags = new Int32Array(frame.values.length);
  const judge = openFrameJudge(rules, silent);
  report(name, nanoseconds(2_000, () => judge(frame, flags.fill(0))) / frame.values.length);
}

for (const shapes of [4, 5]) {
  const judge = openFrameJudge(compileRules(configuredRules({})), silent);
  const frames = Array.from({ length: shapes }, (_, i) => frameOf(samplesWith(50).slice(i)));
  const flags = new Int32Array(500);
  report(
    `the default rules, ${shapes} shapes of frames in turn`,
    nanoseconds(400, (i) => judge(frames[i % shapes], flags.fill(0))) / 500,
  );
}

const variables = { value: 0, metric: "cpu", labels: { mode: "idle" }, metric_type: "gauge", timestamp: 1n };
for (const holds of [
  "value >= 0.0",
  "value >= 0.0 && value <= 100.0",
  'labels.mode == "idle" || value < 5.0',
  'metric.startsWith("cpu") && value >= 0.0',
  'metric.matches("^c.u$")',
  'labels.zone == "a"',
]) {
  const compiled = compileSampleExpression(holds);
  if (typeof compiled === "string") throw new Error(compiled);
  report(
    `CEL ${holds}`,
    nanoseconds(100_000, (i) => {
      variables.value = i % 100;
      compiled.holds(variables);
    }),
  );
}
let kept = 0;
report(
  "the same in JavaScript: value >= 0.0 && value <= 100.0",
  nanoseconds(10_000_000, (i) => {
    variables.value = i % 100;
    if (variables.value >= 0 && variables.value <= 100) kept++;
  }),
);
if (kept < 0) process.stdout.write("never\n");
