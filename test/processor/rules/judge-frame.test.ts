import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { compileRules } from "../../../services/processor/rules/compile-rules.js";
import { AT_MS, type Sample, configuredRules, frameOf, judged, openJudge, rulesOf } from "./rule-frames.js";

const [fine, invalid, stale, notFinite] = [0, 1, 8, 16];

describe("range rules", () => {
  const rules = rulesOf({
    range: {
      share: { match: '{__name__=~".+_percent"}', min: 0, max: 100 },
      delay: { match: 'delay{job="a"}', min: 0, exclusive: true },
    },
  });

  it("flag what lies outside, and tell which", () => {
    const { flags, broken } = judged(rules, [
      { series: "cpu_percent", value: 100 },
      { series: "cpu_percent_2", value: 1e9 },
      { series: "mem_percent", value: 100.1 },
      { series: 'delay{job="a"}', value: 0 },
      { series: 'delay{job="b"}', value: 0 },
      { series: 'x_percent{a="1"}', value: NaN },
      { series: 'x_percent{a="2"}', value: -1, stale: true },
    ]);
    assert.deepEqual(flags, [fine, fine, invalid, invalid, fine, notFinite, stale]);
    assert.deepEqual(broken, ["range.share 2", "range.delay 3"]);
  });

  it("are told besides what needs no rule", () => {
    const { flags, broken } = judged(rules, [{ series: "c", value: -1, type: "counter" }]);
    assert.deepEqual([flags, broken], [[invalid], ["counter.negative 0"]]);
  });
});

describe("order rules", () => {
  const quantiles = { ascending: ['{quantile="0.5"}', '{quantile="0.95"}', '{quantile="0.99"}'] };

  it("compare what has the same name and labels, but for those that the selectors name", () => {
    const rules = rulesOf({ order: { quantiles } });
    const { flags, broken } = judged(rules, [
      { series: 'a{quantile="0.99",path="/"}', value: 3 },
      { series: 'a{quantile="0.5",path="/"}', value: 1 },
      { series: 'a{quantile="0.95",path="/"}', value: 2 },
      { series: 'a{quantile="0.5",path="/x"}', value: 9 },
      { series: 'a{quantile="0.95",path="/x"}', value: 8 },
      { series: 'a{quantile="0.99",path="/x"}', value: 10 },
      { series: 'b{quantile="0.5",path="/"}', value: 7 },
    ]);
    assert.deepEqual(flags, [fine, fine, fine, invalid, invalid, fine, fine]);
    assert.deepEqual(broken, ["order.quantiles 3", "order.quantiles 4"]);
  });

  it("compare what the expressions capture", () => {
    const rules = rulesOf({
      order: {
        percentiles: { ascending: ['{__name__=~"(.+)_p50(_.+)?"}', '{__name__=~"(.+)_p99(_.+)?"}'] },
        errors: { ascending: ["errors_per_second", "requests_per_second"] },
      },
    });
    const { flags } = judged(rules, [
      { series: "a_p50_seconds", value: 2 },
      { series: "a_p99", value: 1 },
      { series: "a_p99_seconds", value: 1 },
      { series: "b_p50", value: 2 },
      { series: "b_p99", value: 3 },
      { series: 'errors_per_second{path="/"}', value: 2 },
      { series: 'requests_per_second{path="/"}', value: 1 },
      { series: 'requests_per_second{path="/x"}', value: 1 },
    ]);
    assert.deepEqual(flags, [invalid, fine, invalid, fine, fine, invalid, invalid, fine]);
  });

  it("are not judged where a value is missing, none, or there twice", () => {
    const rules = rulesOf({
      order: { ab: { ascending: ["a", "b"] }, any: { ascending: ['{x=~".+"}', "c"] } },
    });
    const sound = (...samples: Sample[]) => judged(rules, samples).broken.length === 0;
    assert.ok(sound({ series: "a", value: 2 }));
    assert.ok(sound({ series: "a", value: NaN }, { series: "b", value: 1 }));
    assert.ok(sound({ series: "a", value: 2, stale: true }, { series: "b", value: 1 }));
    assert.ok(!sound({ series: "a", value: 2 }, { series: "b", value: 1 }));
    assert.ok(sound({ series: 'a{x="1"}', value: 2 }, { series: "b", value: 1 }), "other labels");
    const once = { series: 'c{x="1"}', value: 5 };
    assert.ok(sound(once), "the same series for both places");
    assert.ok(
      sound({ series: 'd{x="1"}', value: 9 }, { series: 'd{x="2"}', value: 9 }, { series: "c", value: 5 }),
    );
  });

  it("take equal values as in order, unless told otherwise", () => {
    const equal = Object.entries({ "0.5": 1, "0.95": 1, "0.99": 1 });
    const samples = equal.map(([quantile, value]) => ({ series: `a{quantile="${quantile}"}`, value }));
    assert.deepEqual(judged(rulesOf({ order: { quantiles } }), samples).flags, [fine, fine, fine]);
    const strict = rulesOf({ order: { quantiles: { ...quantiles, equal: false } } });
    assert.deepEqual(judged(strict, samples).flags, [invalid, invalid, invalid]);
  });
});

describe("rules in CEL", () => {
  it("about samples flag those for which they do not hold, and count those that they fail for", () => {
    const rules = rulesOf({
      sample: {
        idle: { match: "cpu", holds: 'labels.mode == "idle" || value < 5.0' },
        early: { match: "cpu", holds: `timestamp <= ${AT_MS} && metric_type == "gauge"` },
      },
    });
    const { flags, broken, failed } = judged(rules, [
      { series: 'cpu{mode="idle"}', value: 9 },
      { series: 'cpu{mode="user"}', value: 9 },
      { series: "cpu", value: 9 },
      { series: "memory", value: 9 },
      { series: 'cpu{mode="x"}', value: 4, type: "counter" },
      { series: 'cpu{mode="y"}', value: Infinity },
    ]);
    assert.deepEqual(flags, [fine, invalid, fine, fine, invalid, notFinite]);
    assert.deepEqual(broken, ["sample.idle 1", "sample.early 4"]);
    assert.deepEqual(failed, ["sample.idle 2"]);
  });

  it("about frames are judged where each selector has one value", () => {
    const rules = rulesOf({
      frame: { memory: { holds: 'v("free") + v(\'used{kind="all"}\') <= v("total")' } },
    });
    const of = (free: number, ...more: Sample[]) =>
      judged(rules, [
        { series: "total", value: 10 },
        { series: 'used{kind="all"}', value: 4 },
        { series: 'free{zone="1"}', value: free },
        ...more,
      ]);
    assert.deepEqual(of(6).flags, [fine, fine, fine]);
    assert.deepEqual(of(7).flags, [invalid, invalid, invalid]);
    assert.deepEqual(of(7).broken, ["frame.memory 2", "frame.memory 1", "frame.memory 0"]);
    assert.deepEqual(of(NaN).flags, [fine, fine, notFinite]);
    assert.deepEqual(of(7, { series: 'free{zone="2"}', value: 1 }).broken, []);
  });
});

it("a time too far after it was read breaks a rule, and a stale marker breaks none", () => {
  const rules = rulesOf({ future_max: "1s" });
  const samples = [
    { series: "a", value: 1 },
    { series: "b", value: 1, stale: true },
  ];
  assert.deepEqual(judged(rules, samples, AT_MS - 1_000).flags, [fine, stale]);
  const { flags, broken } = judged(rules, samples, AT_MS - 1_001);
  assert.deepEqual([flags, broken], [[invalid, stale], ["time.in_future 0"]]);
});

describe("the default rules", () => {
  const rules = compileRules(configuredRules({}));
  const cases: [string, number, string | null][] = [
    ["application_cpu_usage_percent", 101, "range.cpu_percent"],
    ["cpu_percent", -0.1, "range.cpu_percent"],
    ["memory_used_percent", 100.5, "range.memory_percent"],
    ["mem_percentage", 100.5, "range.memory_percent"],
    ["cpu_usage_ratio", 1.01, "range.usage_ratio"],
    ["http_error_ratio", 1.01, "range.usage_ratio"],
    ["cpu_overcommit_ratio", 3, null],
    ["error_rate", 100.5, "range.error_rate"],
    ["api_error_percent", -1, "range.error_rate"],
    ["request_rate", -1, "range.request_rate"],
    ["http_requests_per_second", -1, "range.request_rate"],
    ["http_requests_per_second", 1e6, null],
    ["response_time_seconds", 0, "range.response_time"],
    ["application_response_time_seconds_p95", -1, "range.response_time"],
    ['http_request_duration_seconds{quantile="0.5"}', 0, "range.response_time"],
    ["application_response_time_seconds_sum", 0, null],
    ["application_response_time_seconds_bucket", 0, null],
    ["node_cpu_seconds_total", 1e9, null],
    ["node_memory_MemFree_bytes", 1e12, null],
    ["node_load1", 250, null],
  ];
  for (const [series, value, rule] of cases) {
    it(`${series} of ${value} breaks ${rule ?? "none"}`, () => {
      assert.deepEqual(judged(rules, [{ series, value }]).broken, rule === null ? [] : [`${rule} 0`]);
    });
  }

  it("order percentiles, by label and by name, and keep errors within requests", () => {
    const ofFrame = (samples: Record<string, number>) =>
      judged(
        rules,
        Object.entries(samples).map(([series, value]) => ({ series, value })),
      ).broken;
    assert.deepEqual(ofFrame({ x_p50: 1, x_p95: 3, x_p99: 2 }), [
      "order.percentiles 1",
      "order.percentiles 2",
    ]);
    assert.deepEqual(ofFrame({ x_p50: 1, x_p99: 0 }), [], "one of three is not there");
    assert.deepEqual(ofFrame({ api_errors_per_second: 2, api_requests_per_second: 1 }), [
      "order.errors_within_requests 0",
      "order.errors_within_requests 1",
    ]);
    assert.deepEqual(ofFrame({ api_errors_per_second: 2, web_requests_per_second: 1 }), []);
  });
});

describe("a verdict", () => {
  const rules = rulesOf({
    range: { small: { match: '{__name__=~"[ab]"}', min: -5, max: 5 } },
    order: { ab: { ascending: ["a", "b"] } },
    sample: { b: { match: "b", holds: "value != 3.0" } },
    frame: { sum: { holds: 'v("a") + v("c") < 8.0' } },
  });
  const sample = fc.record({
    series: fc.constantFrom("a", "b", "c", 'a{x="1"}', 'b{x="1"}', 'a{x="2"}', 'b{x="2"}'),
    value: fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constantFrom(NaN, Infinity, -0, 1e300, 5e-324)),
    type: fc.constantFrom("gauge" as const, "counter" as const),
    stale: fc.boolean(),
  });
  const samplesOfFrame = fc.uniqueArray(sample, { selector: ({ series }) => series, maxLength: 7 });

  it("depends neither on the frames before nor on the order of the samples, and changes no input", () => {
    const judge = openJudge(rules);
    fc.assert(
      fc.property(samplesOfFrame, fc.integer({ min: 0, max: 6 }), (samples, turn) => {
        const frame = frameOf(samples);
        const before = [...frame.values, ...frame.stale];
        const remembered = judge(frame);
        assert.deepEqual([...frame.values, ...frame.stale], before);
        assert.deepEqual(remembered, judged(rules, samples));
        const turned = [...samples.slice(turn), ...samples.slice(0, turn)];
        const flags = judge(frameOf(turned)).flags;
        assert.deepEqual(
          samples.map((one) => flags[turned.indexOf(one)]),
          remembered.flags,
        );
        remembered.flags.forEach((bits, i) => {
          const isTold = remembered.broken.some((text) => text.endsWith(` ${i}`));
          assert.equal((bits & invalid) !== 0, isTold, "a flag and its rule come together");
        });
      }),
      { seed: 1, numRuns: 1000 },
    );
  });
});
