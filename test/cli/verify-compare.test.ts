import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { noPaint } from "../../services/cli/terminal.js";
import { type SeriesVerdict, type Sides, compareSides } from "../../services/cli/verify-compare.js";
import { verificationJson, verificationLines } from "../../services/cli/verify-view.js";

interface Sample {
  readonly key: string;
  readonly ms: number;
  readonly value: number;
}

/** Sides that hold these samples, and how much they were asked for. */
function sidesOf(prometheus: readonly Sample[], kafka: readonly Sample[]) {
  const asked = { prometheus: 0, kafka: 0 };
  const side = (name: keyof Sides, samples: readonly Sample[]): Sides[keyof Sides] => {
    return ({ from, to }, take) => {
      asked[name] += to - from;
      for (const { key, ms, value } of samples) if (ms > from && ms <= to) take(key, [ms], [value]);
      return Promise.resolve();
    };
  };
  return { asked, sides: { prometheus: side("prometheus", prometheus), kafka: side("kafka", kafka) } };
}

/** The same by the definition, without digests. Each (series, ms) is once among Prometheus's samples. */
function naive(prometheus: readonly Sample[], kafka: readonly Sample[]): SeriesVerdict[] {
  const series = [...new Set([...prometheus, ...kafka].map(({ key }) => key))].sort();
  return series.map((key) => {
    const ours = prometheus.filter((sample) => sample.key === key);
    const theirs = kafka.filter((sample) => sample.key === key);
    const at = (samples: Sample[], ms: number) => samples.filter((sample) => sample.ms === ms);
    const times = [...new Set([...ours, ...theirs].map(({ ms }) => ms))];
    const isMissing = (ms: number) => at(theirs, ms).length === 0;
    const isExtra = (ms: number) => at(ours, ms).length === 0;
    const isDoubled = (ms: number) => at(theirs, ms).length > 1;
    const isDifferent = (ms: number) =>
      at(theirs, ms).some(({ value }) => at(ours, ms).some((our) => !Object.is(our.value, value)));
    const wrong = times.filter((ms) => isMissing(ms) || isExtra(ms) || isDoubled(ms) || isDifferent(ms));
    return {
      series: key,
      prometheus: ours.length,
      kafka: theirs.length,
      missing: times.filter(isMissing).length,
      extra: times.filter(isExtra).length,
      doubled: times.reduce((sum, ms) => sum + Math.max(0, at(theirs, ms).length - 1), 0),
      different: times.filter(isDifferent).length,
      firstMs: wrong.length === 0 ? null : Math.min(...wrong),
    };
  });
}

const FROM = 1_760_000_000_000;
const range = { from: FROM, to: FROM + 10_000 };
const values = [0, -0, 1, NaN, Infinity, 5e-324, 0.1];

const sampleOf = fc.record({
  key: fc.constantFrom("a", "b", 'c{x="1"}'),
  ms: fc.integer({ min: FROM + 1, max: FROM + 10_000 }),
  value: fc.constantFrom(...values),
});

describe("compareSides", () => {
  it("tells what the definition tells, whatever the memory", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(sampleOf, { maxLength: 60, selector: ({ key, ms }) => `${key} ${ms}` }),
        fc.array(fc.tuple(fc.nat(), fc.constantFrom("lose", "double", "change", "move")), { maxLength: 8 }),
        fc.constantFrom(1, 5, 1_000_000),
        async (stored, faults, heldMax) => {
          const kafka = [...stored];
          for (const [at, fault] of faults) {
            const i = at % Math.max(1, kafka.length);
            if (kafka.length === 0) break;
            if (fault === "lose") kafka.splice(i, 1);
            else if (fault === "double") kafka.push(kafka[i]);
            else if (fault === "change") kafka[i] = { ...kafka[i], value: 42 };
            else kafka[i] = { ...kafka[i], ms: Math.min(kafka[i].ms + 1, range.to) };
          }
          const verdicts = await compareSides(range, sidesOf(stored, kafka).sides, heldMax);
          assert.deepEqual(verdicts, naive(stored, kafka));
        },
      ),
      { numRuns: 200, seed: 1 },
    );
  });

  const many = Array.from({ length: 10_000 }, (_, i) => ({ key: `s${i % 10}`, ms: FROM + 1 + i, value: i }));

  it("reads each side once where nothing differs, and the order does not matter", async () => {
    const { asked, sides } = sidesOf(many, many.toReversed());
    const verdicts = await compareSides(range, sides);
    assert.deepEqual(asked, { prometheus: 10_000, kafka: 10_000 });
    assert.deepEqual(
      verdicts.map(({ prometheus, kafka, firstMs }) => [prometheus, kafka, firstMs]),
      many.slice(0, 10).map(() => [1_000, 1_000, null]),
    );
  });

  it("reads only the cell again that differs", async () => {
    const { asked, sides } = sidesOf(many, many.toSpliced(5_000, 1));
    const [verdict] = (await compareSides(range, sides)).filter(({ missing }) => missing > 0);
    assert.deepEqual([verdict.series, verdict.missing, verdict.firstMs], ["s0", 1, FROM + 5_001]);
    assert.ok(asked.prometheus < 10_200 && asked.kafka < 10_200, JSON.stringify(asked));
  });
});

describe("what verify prints", () => {
  const verdict = { series: "a", prometheus: 10, kafka: 10, missing: 0, extra: 0, doubled: 0, different: 0 };
  const same = { source: "prometheus", range, remark: null, verdicts: [{ ...verdict, firstMs: null }] };
  const different = {
    ...same,
    remark: "a remark",
    verdicts: [
      ...same.verdicts,
      { ...verdict, series: 'b{x="1"}', kafka: 9, missing: 2, doubled: 1, firstMs: FROM + 1 },
    ],
  };

  it("is one line where all is the same", () => {
    assert.deepEqual(verificationLines(same, noPaint), [
      "prometheus: 1 series from 2025-10-09T08:53:20.000Z to 2025-10-09T08:53:30.000Z, 10 samples in Prometheus, " +
        "10 in Kafka: the same on both sides",
    ]);
  });

  it("is a table of what differs", () => {
    const [summary, ...rest] = verificationLines(different, noPaint);
    assert.match(summary, /: 1 series differ: 2 missing, 1 doubled$/);
    assert.deepEqual(rest, [
      "a remark",
      "",
      "SERIES    PROMETHEUS  KAFKA  MISSING  EXTRA  DOUBLED  DIFFERENT  FIRST",
      'b{x="1"}          10      9        2      0        1          0  2025-10-09T08:53:20.001Z',
    ]);
  });

  it("is one JSON object, with the differences only", () => {
    const { same: isSame, sources } = JSON.parse(verificationJson([different])) as {
      same: boolean;
      sources: { series: number; kafka: number; differences: object[] }[];
    };
    assert.equal(isSame, false);
    assert.deepEqual([sources[0].series, sources[0].kafka], [2, 19]);
    assert.deepEqual(sources[0].differences, [
      { ...verdict, series: 'b{x="1"}', kafka: 9, missing: 2, doubled: 1, first: "2025-10-09T08:53:20.001Z" },
    ]);
    assert.equal((JSON.parse(verificationJson([same])) as { same: boolean }).same, true);
  });
});
