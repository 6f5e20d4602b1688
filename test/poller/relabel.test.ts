import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { compileRelabelling } from "../../services/poller/relabel.js";
import type { RelabelRule } from "../../services/shared/config-relabel.js";
import { etlSchema } from "../../services/shared/config-schema.js";
import type { Labels } from "../../services/shared/frame.js";

type GivenRule = Partial<Omit<RelabelRule, "action">> & { action?: string };

function rulesOf(given: readonly GivenRule[]): RelabelRule[] {
  const config = etlSchema.parse({ extract: { jobs: { live: { templates: ["system"], relabel: given } } } });
  return config.extract.jobs["live"].relabel;
}

const relabel = (labels: Labels, ...given: GivenRule[]) => compileRelabelling(rulesOf(given))(labels);

/**
 * [what, labels, rules, the labels that the rules change or add (empty: take away), or null: they drop the series].
 * The cases are those of Prometheus's own tests (model/relabel/relabel_test.go, 3.x), and what its manual says beyond them.
 */
const cases: [string, Labels, GivenRule[], Labels | null][] = [
  [
    "replace puts a group into a new label",
    { a: "foo", b: "bar", c: "baz" },
    [{ source_labels: ["a"], regex: "f(.*)", target_label: "d", replacement: "ch${1}-ch${1}" }],
    { d: "choo-choo" },
  ],
  [
    "a rule sees what the one before it left",
    { a: "foo", b: "bar", c: "baz" },
    [
      { source_labels: ["a", "b"], regex: "f(.*);(.*)r", target_label: "a", replacement: "b${1}${2}m" },
      { source_labels: ["c", "a"], regex: "(b).*b(.*)ba(.*)", target_label: "d", replacement: "$1$2$2$3" },
    ],
    { a: "boobam", d: "boooom" },
  ],
  [
    "drop ends it, whatever follows",
    { a: "foo" },
    [
      { source_labels: ["a"], regex: ".*o.*", action: "drop" },
      { source_labels: ["a"], regex: "f(.*)", target_label: "d", replacement: "ch$1-ch$1" },
    ],
    null,
  ],
  [
    "drop looks at its source labels only",
    { a: "foo", b: "bar" },
    [{ source_labels: ["a"], regex: ".*o.*", action: "drop" }],
    null,
  ],
  [
    "a group within the value",
    { a: "abc" },
    [{ source_labels: ["a"], regex: ".*(b).*", target_label: "d" }],
    { d: "b" },
  ],
  ["drop without a match", { a: "foo" }, [{ source_labels: ["a"], regex: "no-match", action: "drop" }], {}],
  ["drop matches wholly", { a: "foo" }, [{ source_labels: ["a"], regex: "f|o", action: "drop" }], {}],
  ["keep without a match", { a: "foo" }, [{ source_labels: ["a"], regex: "no-match", action: "keep" }], null],
  ["keep with a match", { a: "foo" }, [{ source_labels: ["a"], regex: "f.*", action: "keep" }], {}],
  [
    "replace without a match",
    { a: "boo" },
    [{ source_labels: ["a"], regex: "f", target_label: "b", replacement: "bar" }],
    {},
  ],
  [
    "replace without a match leaves the target as it is",
    { a: "boo", b: "old" },
    [{ source_labels: ["a"], regex: "f", target_label: "b", replacement: "" }],
    {},
  ],
  [
    "an empty replacement takes the label away",
    { a: "foo", f: "baz" },
    [{ source_labels: ["a"], regex: "(f).*", target_label: "$1", replacement: "$2" }],
    { f: "" },
  ],
  [
    "no sources: every series gets the label",
    { a: "foo" },
    [{ target_label: "cluster", replacement: "eu" }],
    { cluster: "eu" },
  ],
  [
    "no sources and an empty replacement: every series loses it",
    { a: "foo", b: "bar" },
    [{ target_label: "b", replacement: "" }],
    { b: "" },
  ],
  [
    "hashmod",
    { a: "foo", b: "bar", c: "baz" },
    [{ source_labels: ["c"], target_label: "d", action: "hashmod", modulus: 1000 }],
    { d: "976" },
  ],
  [
    "hashmod of a text with a line break",
    { a: "foo\nbar" },
    [{ source_labels: ["a"], target_label: "b", action: "hashmod", modulus: 1000 }],
    { b: "734" },
  ],
  [
    "labelmap copies",
    { a: "foo", b1: "bar", b2: "baz" },
    [{ regex: "(b.*)", replacement: "bar_${1}", action: "labelmap" }],
    { bar_b1: "bar", bar_b2: "baz" },
  ],
  [
    "labelmap takes a prefix off",
    { a: "foo", __meta_my_bar: "aaa", __meta_my_baz: "bbb", __meta_other: "ccc" },
    [{ regex: "__meta_(my.*)", action: "labelmap" }],
    { my_bar: "aaa", my_baz: "bbb" },
  ],
  [
    "of two labels that labelmap makes one, the last counts",
    { tag_b: "2", tag_a: "1" },
    [{ regex: "(tag)_.", action: "labelmap" }],
    { tag: "2" },
  ],
  [
    "labels that rules have set come after those of the series",
    { tag_b: "2", tag_a: "1" },
    [
      { source_labels: ["tag_a"], target_label: "tag_a" },
      { regex: "(tag)_.", action: "labelmap" },
    ],
    { tag: "1" },
  ],
  [
    "the target's name from a group",
    { a: "some-name-value" },
    [
      {
        source_labels: ["a"],
        regex: "some-([^-]+)-([^,]+)",
        target_label: "${1}",
        replacement: "${2}",
      },
    ],
    { name: "value" },
  ],
  [
    "a group that is not there is empty",
    { a: "some-name-value" },
    [{ source_labels: ["a"], regex: "some-([^-]+)-([^,]+)", target_label: "${1}", replacement: "${3}" }],
    {},
  ],
  [
    "an empty target is none",
    { a: "some-name-0" },
    [
      { source_labels: ["a"], regex: "some-([^-]+)-([^,]+)", target_label: "${3}", replacement: "${1}" },
      { source_labels: ["a"], regex: "some-([^-]+)(-[^,]+)", target_label: "${3}", replacement: "${1}" },
    ],
    {},
  ],
  [
    "a list of tags in one label",
    { __meta_sd_tags: "path:/secret,job:some-job,label:foo=bar" },
    [
      {
        source_labels: ["__meta_sd_tags"],
        regex: "(?:.+,|^)path:(/[^,]+).*",
        target_label: "__metrics_path__",
      },
      { source_labels: ["__meta_sd_tags"], regex: "(?:.+,|^)job:([^,]+).*", target_label: "job" },
      {
        source_labels: ["__meta_sd_tags"],
        regex: "(?:.+,|^)label:([^=]+)=([^,]+).*",
        target_label: "${1}",
        replacement: "${2}",
      },
    ],
    { __metrics_path__: "/secret", job: "some-job", foo: "bar" },
  ],
  [
    "a label that was dropped is set anew (prometheus/prometheus#12283)",
    { port_name: "foo", metrics_port: "9091" },
    [
      { regex: "^port_name$", action: "labeldrop" },
      { source_labels: ["metrics_port"], regex: "(.+)", replacement: "metrics", target_label: "port_name" },
      { source_labels: ["port_name"], regex: "^metrics$", action: "keep" },
    ],
    { port_name: "metrics" },
  ],
  ["labelkeep", { a: "foo", b1: "bar", b2: "baz" }, [{ regex: "(b.*)", action: "labelkeep" }], { a: "" }],
  [
    "labeldrop",
    { a: "foo", b1: "bar", b2: "baz" },
    [{ regex: "(b.*)", action: "labeldrop" }],
    { b1: "", b2: "" },
  ],
  [
    "uppercase and lowercase",
    { foo: "bAr123Foo" },
    [
      { source_labels: ["foo"], action: "uppercase", target_label: "foo_uppercase" },
      { source_labels: ["foo"], action: "lowercase", target_label: "foo_lowercase" },
    ],
    { foo_lowercase: "bar123foo", foo_uppercase: "BAR123FOO" },
  ],
  [
    "cases one code point at a time, as Go has them",
    { foo: "Straße ΟΔΟΣ İ ᾳ" },
    [
      { source_labels: ["foo"], action: "uppercase", target_label: "up" },
      { source_labels: ["foo"], action: "lowercase", target_label: "low" },
    ],
    { up: "STRAßE ΟΔΟΣ İ ᾼ", low: "straße οδοσ i ᾳ" },
  ],
  [
    "keepequal of equal labels",
    { tmp: "1234", port1: "1234", port2: "5678" },
    [{ source_labels: ["tmp"], action: "keepequal", target_label: "port1" }],
    {},
  ],
  [
    "keepequal of different labels",
    { tmp: "1234", port1: "1234", port2: "5678" },
    [{ source_labels: ["tmp"], action: "keepequal", target_label: "port2" }],
    null,
  ],
  [
    "dropequal of equal labels",
    { tmp: "1234", port1: "1234", port2: "5678" },
    [{ source_labels: ["tmp"], action: "dropequal", target_label: "port1" }],
    null,
  ],
  [
    "dropequal of different labels",
    { tmp: "1234", port1: "1234", port2: "5678" },
    [{ source_labels: ["tmp"], action: "dropequal", target_label: "port2" }],
    {},
  ],
  [
    "`.` matches line breaks",
    { a: "line1\nline2" },
    [{ source_labels: ["a"], regex: "line1.*line2", target_label: "d", replacement: "match${1}" }],
    { d: "match" },
  ],
  [
    "`$` is the end of the value, not that of its last line",
    { a: "line\n" },
    [{ source_labels: ["a"], regex: "line$", action: "drop" }],
    {},
  ],
  [
    "names in all of Unicode",
    { "utf-8.label": "line1\nline2", b: "bar" },
    [
      {
        source_labels: ["utf-8.label"],
        regex: "line1.*line2",
        target_label: "größe.${1}",
        replacement: "match${1}",
      },
    ],
    { "größe.": "match" },
  ],
  [
    "named groups, in both spellings",
    { a: "line1\nline2" },
    [
      {
        source_labels: ["a"],
        regex: "(line1).*(?<second>line2)",
        target_label: "label1_${1}",
        replacement: "val_${second}",
      },
      {
        source_labels: ["a"],
        regex: "(line1).*(?P<second>line2)",
        target_label: "label2_$1",
        replacement: "val_$second",
      },
    ],
    { label1_line1: "val_line2", label2_line1: "val_line2" },
  ],
  [
    "a reference takes as many letters as there are; $$ is a dollar, and a lone one is itself",
    { a: "x" },
    [
      {
        source_labels: ["a"],
        target_label: "b",
        replacement: "<$1x> <${1}x> <$$1> <$> <${> <${1> <$0> <$01>",
      },
    ],
    { b: "<> <xx> <$1> <$> <${> <${1> <x> <>" },
  ],
  [
    "the metric's name is a label",
    { __name__: "http_requests_total" },
    [
      { source_labels: ["__name__"], regex: ".*_total$", target_label: "__type__", replacement: "counter" },
      { source_labels: ["__name__"], regex: "http_(.*)", target_label: "__name__" },
    ],
    { __name__: "requests_total", __type__: "counter" },
  ],
  [
    "a separator of its own, and missing labels between",
    { a: "1", c: "3" },
    [{ source_labels: ["a", "b", "c"], separator: "", target_label: "d" }],
    { d: "13" },
  ],
  ["actions in capitals", { a: "foo" }, [{ source_labels: ["a"], regex: "foo", action: "Drop" }], null],
];

describe("compileRelabelling", () => {
  for (const [what, labels, rules, changes] of cases) {
    it(what, () => {
      const expected =
        changes === null
          ? null
          : Object.fromEntries(Object.entries({ ...labels, ...changes }).filter(([, value]) => value !== ""));
      assert.deepEqual(relabel(labels, ...rules), expected);
    });
  }

  it("matches in time linear in the value's length", () => {
    const labels = { a: `${"a".repeat(50_000)}b` };
    assert.deepEqual(relabel(labels, { source_labels: ["a"], regex: "(a|aa|a*)*$", action: "drop" }), labels);
  });
});

describe("relabelling of any series", () => {
  const name = fc.constantFrom("a", "b", "c", "job", "__name__", "x.y");
  const labelSets = fc.dictionary(name, fc.string({ minLength: 1, unit: "grapheme" }), {
    noNullPrototype: true,
  });
  const names = fc.uniqueArray(name, { maxLength: 4 });

  it("is the same in whatever order the labels come, and leaves them as they are", () => {
    const rules: GivenRule[] = [
      { regex: "(.).*", replacement: "first_$1", action: "labelmap" },
      { source_labels: ["b", "a"], target_label: "a" },
      { regex: "(.)", replacement: "again", action: "labelmap" },
    ];
    fc.assert(
      fc.property(labelSets, (labels) => {
        const before = structuredClone(labels);
        const reversed = Object.fromEntries(Object.entries(labels).reverse());
        assert.deepEqual(relabel(reversed, ...rules), relabel(labels, ...rules));
        assert.deepEqual(labels, before);
      }),
      { seed: 1 },
    );
  });

  it("keep and drop, keepequal and dropequal divide them", () => {
    fc.assert(
      fc.property(labelSets, names, name, (labels, sources, target) => {
        for (const [yes, no, rest] of [
          ["keep", "drop", { regex: "[a-m]*;?.?" }],
          ["keepequal", "dropequal", { target_label: target }],
        ] as const) {
          const kept = relabel(labels, { source_labels: sources, action: yes, ...rest });
          const notDropped = relabel(labels, { source_labels: sources, action: no, ...rest });
          assert.equal(kept === null, notDropped !== null);
          assert.deepEqual(kept ?? notDropped, labels);
        }
      }),
      { seed: 2 },
    );
  });

  it("labelkeep and labeldrop divide their labels", () => {
    fc.assert(
      fc.property(labelSets, (labels) => {
        const kept = relabel(labels, { regex: "[ab_].*", action: "labelkeep" });
        const left = relabel(labels, { regex: "[ab_].*", action: "labeldrop" });
        assert.deepEqual({ ...kept, ...left }, labels);
        assert.equal(
          Object.keys({ ...kept }).length + Object.keys({ ...left }).length,
          Object.keys(labels).length,
        );
      }),
      { seed: 3 },
    );
  });

  it("hashmod gives each series to exactly one of n shards", () => {
    fc.assert(
      fc.property(labelSets, fc.integer({ min: 1, max: 7 }), (labels, modulus) => {
        const shards = Array.from({ length: modulus }, (_, shard) =>
          relabel(
            labels,
            { source_labels: ["a", "job"], target_label: "shard", action: "hashmod", modulus },
            { source_labels: ["shard"], regex: String(shard), action: "keep" },
            { regex: "shard", action: "labeldrop" },
          ),
        );
        assert.deepEqual(
          shards.filter((kept) => kept !== null),
          [labels],
        );
      }),
      { seed: 4 },
    );
  });

  it("the default rule copies, and a second time changes nothing", () => {
    fc.assert(
      fc.property(labelSets, names, name, (labels, sources, target) => {
        const rule = { source_labels: sources, target_label: target, separator: "" };
        const value = sources.map((source) => labels[source] ?? "").join("");
        const once = relabel(labels, rule);
        assert.equal(once?.[target] ?? "", value);
        if (!sources.includes(target)) assert.deepEqual(relabel({ ...once }, rule), once);
      }),
      { seed: 5 },
    );
  });
});
