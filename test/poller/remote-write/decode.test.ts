import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  type DecodedRequest,
  type RequestLimits,
  shortfall,
} from "../../../services/poller/remote-write/decoded-request.js";
import { decodeRequest2 } from "../../../services/poller/remote-write/decode-request-2.js";
import { decodeWriteRequest } from "../../../services/poller/remote-write/decode-write-request.js";
import { createSeriesMemory } from "../../../services/poller/remote-write/known-series.js";
import { RefusedRequest } from "../../../services/poller/remote-write/refusals.js";
import { createIdentify } from "../../../services/poller/remote-write/series-identity.js";
import { parseConfig } from "../../../services/shared/config.js";
import { type SentSeries, rawRequest1, rawRequest2, writeRequest1, writeRequest2 } from "./write-messages.js";

const config = parseConfig(
  JSON.stringify({
    extract: {
      remote_write: {
        enabled: true,
        entity: "target",
        templates: ["application", "disks"],
        labels_max: 5,
        label_name_bytes_max: 40,
        label_value_bytes_max: 80,
      },
      templates: {
        application: { entity: "service", selectors: ["application_up", '{__name__=~"app_.+",env!="test"}'] },
        disks: { entity: "disk", selectors: ['{device!~"|dm-.+"}'] },
      },
      jobs: {},
    },
    entities: { target: ["job", "instance"], service: ["job", "service"], disk: ["instance", "device"] },
  }),
  "test.yaml",
);

const limits: RequestLimits & { labelsMax: number } = { seriesMax: 1_000, samplesMax: 1_000, labelsMax: 5 };

interface Codec {
  readonly decode: (body: Buffer, from?: ReturnType<typeof memory>, limit?: typeof limits) => DecodedRequest;
  readonly encode: (series: readonly SentSeries[]) => Buffer;
}

const memory = (max?: number) => ({ known: createSeriesMemory(max), identify: createIdentify(config) });

const codecs: Record<string, Codec> = {
  "1.0": {
    decode: (body, from = memory(), limit = limits) => decodeWriteRequest(body, from, limit),
    encode: writeRequest1,
  },
  "2.0": {
    decode: (body, from = memory(), limit = limits) => decodeRequest2(body, from, limit),
    encode: writeRequest2,
  },
};

/** What a request holds, as the test wrote it. */
function rowsOf({ samples: { series, timestamps, values, stale } }: DecodedRequest) {
  assert.deepEqual(
    [timestamps.length, values.length, stale.length],
    [series.length, series.length, series.length],
  );
  return series.map(({ metric, labels }, i) => ({
    metric,
    labels: { ...labels },
    timestamp: timestamps[i],
    value: stale[i] ? "stale" : values[i],
  }));
}

function expectedRows(series: readonly SentSeries[]) {
  return series.flatMap(({ labels, samples = [] }) => {
    const { __name__: metric, ...rest } = Object.fromEntries(labels);
    return samples.map(({ timestamp, value }) => ({ metric, labels: rest, timestamp, value }));
  });
}

const text = fc
  .string({ unit: "binary", minLength: 1, maxLength: 10 })
  .filter((word) => word !== "__proto__" && word !== "__name__");
const sentSeries: fc.Arbitrary<SentSeries> = fc.record({
  labels: fc
    .uniqueArray(fc.tuple(text, text), { selector: ([name]) => name, maxLength: 4 })
    .chain((labels) => text.map((metric) => [["__name__", metric] as const, ...labels])),
  samples: fc.array(
    fc.record({
      timestamp: fc.oneof(fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 0, max: 8.64e15 })),
      value: fc.oneof(
        fc.double(),
        fc.constant("stale" as const),
        fc.constantFrom(NaN, -0, Infinity, -Infinity),
      ),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  exemplars: fc.nat(1),
  type: fc.nat(8),
  startTimestamp: fc.nat(),
});

/** A field of bytes: its tag, its length, its content. */
function field(fieldTag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(fieldTag, content.length), content]);
}

/** A sample of value 1, at a time of two bytes. */
function sampleAt(timestamp: number): Buffer {
  return Buffer.concat([
    Buffer.from("09000000000000f03f10", "hex"),
    Buffer.of((timestamp & 0x7f) | 0x80, timestamp >> 7),
  ]);
}

for (const [protocol, { decode, encode }] of Object.entries(codecs)) {
  const up: SentSeries = {
    labels: [
      ["__name__", "up"],
      ["job", "a"],
      ["instance", "h:1"],
    ],
    samples: [{ timestamp: 1_000, value: 1 }],
  };

  describe(`decoding of ${protocol}`, () => {
    it("gives back what protobufjs encoded, bit for bit, whatever is remembered", () => {
      const forgetful = memory(2);
      const remembering = memory();
      fc.assert(
        fc.property(fc.array(sentSeries, { maxLength: 8 }), (series) => {
          const body = encode(series);
          for (const from of [forgetful, remembering]) {
            const request = decode(body, from);
            assert.deepEqual(rowsOf(request), expectedRows(series));
            assert.equal(
              request.exemplars,
              series.reduce((sum, { exemplars = 0 }) => sum + exemplars, 0),
            );
            assert.equal(request.refused.size, 0);
          }
        }),
      );
    });

    it("refuses whatever was cut off or changed, or reads something, and never fails otherwise", () => {
      const body = encode([up, { ...up, labels: [...up.labels, ["x", "y"]], type: 1 }]);
      fc.assert(
        fc.property(fc.nat(body.length - 1), fc.nat(255), fc.nat(body.length), (at, byte, end) => {
          const changed = Buffer.from(body.subarray(0, end));
          if (at < end) changed[at] = byte;
          try {
            rowsOf(decode(changed));
          } catch (error) {
            assert.ok(error instanceof RefusedRequest, String(error));
            assert.ok([400, 413].includes(error.status));
          }
        }),
        { numRuns: 2_000 },
      );
    });

    it("refuses a message that ends within a field", () => {
      const body = encode([up]);
      // The series is the last field, and longer than this.
      for (let end = body.length - 20; end < body.length; end++)
        assert.throws(() => decode(body.subarray(0, end)), RefusedRequest);
    });

    it("keeps NaN, infinities, both zeros and the stale marker apart", () => {
      const values = [NaN, Infinity, -Infinity, 0, -0, "stale"] as const;
      const samples = values.map((value, i) => ({ timestamp: i, value }));
      assert.deepEqual(
        rowsOf(decode(encode([{ ...up, samples }]))).map(({ value }) => value),
        values,
      );
    });

    it("takes labels in whatever order, as one series", () => {
      const turned = { ...up, labels: up.labels.toReversed() };
      const { samples } = decode(encode([up, turned]));
      assert.deepEqual(samples.series[0].labels, samples.series[1].labels);
      assert.equal(samples.series[0].entity, samples.series[1].entity);
    });

    it("takes an empty message for a request without series", () => {
      assert.deepEqual(rowsOf(decode(Buffer.alloc(0))), []);
    });

    const refusals: [string, SentSeries["labels"]][] = [
      ["name_missing", [["job", "a"]]],
      ["name_missing", []],
      ["label_empty", [...up.labels, ["", "x"]]],
      ["label_empty", [...up.labels, ["x", ""]]],
      ["label_empty", [["__name__", ""]]],
      ["label_repeated", [...up.labels, ["job", "b"]]],
      ["label_repeated", [...up.labels, ["__name__", "up"]]],
      ["label_reserved", [...up.labels, ["__proto__", "x"]]],
      ["labels_too_many", [...up.labels, ["b", "1"], ["c", "2"], ["d", "3"]]],
      ["label_too_long", [...up.labels, ["ä".repeat(21), "x"]]],
      ["label_too_long", [...up.labels, ["x", "ä".repeat(41)]]],
    ];
    for (const [reason, labels] of refusals) {
      it(`refuses the series only, by ${reason}: ${JSON.stringify(labels.slice(-1))}`, () => {
        const request = decode(
          encode([up, { ...up, labels, samples: [...up.samples!, ...up.samples!] }, up]),
        );
        assert.deepEqual([...request.refused], [[reason, 2]]);
        assert.deepEqual(rowsOf(request), expectedRows([up, up]));
        assert.match(shortfall(request)!, /^Not written: 2 samples: .+\.$/);
      });
    }

    it("refuses a series with a time that Kafka would refuse", () => {
      for (const timestamp of [-1, 8.64e15 + 1, Number.MAX_SAFE_INTEGER]) {
        const early = { ...up, samples: [{ timestamp, value: 1 }] };
        assert.deepEqual([...decode(encode([early, up])).refused], [["time_out_of_range", 1]]);
      }
    });

    it("refuses more series or samples than a request may have, before it reads on", () => {
      const three = encode([up, up, up]);
      const withLimits = (seriesMax: number, samplesMax: number) => () =>
        decode(three, memory(), { seriesMax, samplesMax, labelsMax: 5 });
      assert.equal(withLimits(3, 3)().samples.series.length, 3);
      assert.throws(withLimits(2, 3), { status: 413, reason: "series_too_many" });
      assert.throws(withLimits(3, 2), { status: 413, reason: "samples_too_many" });
    });

    it("finds the entity by the first template that matches, and else by its own", () => {
      const entityOf = (labels: Record<string, string>) => {
        const all = Object.entries({ __name__: "up", job: "j", instance: "i", ...labels });
        return decode(encode([{ ...up, labels: all }])).samples.series[0].entity.key;
      };
      assert.equal(entityOf({}), '{instance="i",job="j"}');
      assert.equal(entityOf({ device: "sda" }), '{device="sda",instance="i"}');
      assert.equal(entityOf({ device: "dm-0" }), '{instance="i",job="j"}');
      assert.equal(entityOf({ __name__: "application_up", device: "sda" }), '{job="j"}');
      assert.equal(entityOf({ __name__: "app_x", service: "s" }), '{job="j",service="s"}');
      assert.equal(entityOf({ __name__: "app_x", env: "test" }), '{instance="i",job="j"}');
    });

    it("skips fields that it does not know, but for groups", () => {
      const unknown = Buffer.from([0x78, 0x01, 0x7a, 0x02, 0x41, 0x42, 0x7d, 0, 0, 0, 0]);
      assert.equal(rowsOf(decode(Buffer.concat([unknown, encode([up]), unknown]))).length, 1);
      const group = Buffer.from([0x7b, 0x7c]);
      for (const bytes of [group, Buffer.alloc(1_000_000, 0x7b), Buffer.from([0x00])])
        assert.throws(() => decode(Buffer.concat([encode([up]), bytes])), {
          status: 400,
          reason: "protobuf",
        });
    });
  });
}

describe("decoding of 1.0", () => {
  const { decode } = codecs["1.0"];

  it("refuses labels that are not UTF-8, and only those", () => {
    const name = [Buffer.from("__name__"), Buffer.from("up")] as const;
    const refusedBy = (...labels: (readonly [Buffer, Buffer])[]) => [...decode(rawRequest1(labels)).refused];
    assert.deepEqual(refusedBy(name, [Buffer.from("a"), Buffer.from([0xff])]), [["not_utf8", 1]]);
    assert.deepEqual(refusedBy(name, [Buffer.from([0xc3]), Buffer.from("b")]), [["not_utf8", 1]]);
    assert.deepEqual(refusedBy(name, [Buffer.from("ä"), Buffer.from("\n\0🎉")]), []);
  });

  it("reads labels that do not stand together, and samples before them", () => {
    const label = (name: string, value: string) =>
      field(0x0a, Buffer.concat([field(0x0a, Buffer.from(name)), field(0x12, Buffer.from(value))]));
    const series = Buffer.concat([
      field(0x12, sampleAt(1_000)),
      label("__name__", "up"),
      field(0x12, sampleAt(2_000)),
      label("b", "1"),
    ]);
    const request = decode(field(0x0a, series));
    assert.deepEqual(rowsOf(request), [
      { metric: "up", labels: { b: "1" }, timestamp: 1_000, value: 1 },
      { metric: "up", labels: { b: "1" }, timestamp: 2_000, value: 1 },
    ]);
  });

  it("takes a series of exemplars or histograms alone, and counts them", () => {
    const labels = [["__name__", "h"]] as const;
    const request = decode(
      writeRequest1([
        { labels, exemplars: 2 },
        { labels, histograms: 3 },
      ]),
    );
    assert.deepEqual([request.exemplars, request.histograms, request.refused.size], [2, 3, 0]);
  });

  it("learns the types of metric families", () => {
    const { families } = decode(writeRequest1([], { a_total: 1, b: 2, c: 3, d: 0, e: 99, "": 1 }));
    assert.deepEqual(Object.fromEntries(families), { a_total: "counter", b: "gauge", c: "histogram" });
  });

  it("knows a message of 2.0 when it sees one", () => {
    const labels = [["__name__", "up"]] as const;
    const other = writeRequest2([{ labels, samples: [{ timestamp: 1, value: 1 }] }]);
    assert.throws(() => decode(other), { status: 400, reason: "other_message" });
  });
});

describe("decoding of 2.0", () => {
  const { decode } = codecs["2.0"];
  const symbols = (...texts: (string | Buffer)[]) => texts.map((symbol) => Buffer.from(symbol));

  it("refuses a table of symbols that does not begin with the empty one", () => {
    for (const table of [[], symbols("__name__", "up"), symbols("up", "")])
      assert.throws(() => decode(rawRequest2(table, [0, 1])), { status: 400, reason: "symbols" });
  });

  it("refuses series that refer to symbols that are not there, to half a label, or to no UTF-8", () => {
    const refusedBy = (refs: number[]) => [
      ...decode(rawRequest2(symbols("", "__name__", "up", Buffer.from([0xff])), refs)).refused.keys(),
    ];
    assert.deepEqual(refusedBy([1, 2]), []);
    assert.deepEqual(refusedBy([1, 4]), ["label_unknown"]);
    assert.deepEqual(refusedBy([1, 4_294_967_295]), ["label_unknown"]);
    assert.deepEqual(refusedBy([1]), ["label_unknown"]);
    assert.deepEqual(refusedBy([1, 2, 3]), ["label_unknown"]);
    assert.deepEqual(refusedBy([1, 3]), ["not_utf8"]);
    assert.deepEqual(refusedBy([]), ["name_missing"]);
    assert.deepEqual(refusedBy([0, 2]), ["label_empty"]);
    assert.deepEqual(refusedBy(Array.from({ length: 10_000 }, () => 1)), ["labels_too_many"]);
  });

  it("reads references that are not packed, and symbols that come last", () => {
    const series = Buffer.concat([Buffer.of(0x08, 1, 0x08, 2), field(0x12, sampleAt(1_000))]);
    const body = Buffer.concat([
      field(0x2a, series),
      ...["", "__name__", "up"].map((symbol) => field(0x22, Buffer.from(symbol))),
    ]);
    assert.deepEqual(rowsOf(decode(body)), [{ metric: "up", labels: {}, timestamp: 1_000, value: 1 }]);
  });

  it("refuses series without samples and histograms, and those with both", () => {
    const labels = [["__name__", "h"]] as const;
    const samples = [{ timestamp: 1, value: 1 }];
    const request = decode(
      writeRequest2([
        { labels, exemplars: 1 },
        { labels, samples, histograms: 1 },
        { labels, histograms: 2 },
      ]),
    );
    assert.deepEqual(Object.fromEntries(request.refused), { no_samples: 0, samples_and_histograms: 1 });
    assert.deepEqual([request.histograms, request.exemplars], [3, 1]);
    assert.match(shortfall(request)!, /3 native histograms.+1 exemplars/);
  });

  it("takes the family's type with the series", () => {
    const labels = [["__name__", "x"]] as const;
    const samples = [{ timestamp: 1, value: 1 }];
    const { series } = decode(
      writeRequest2([1, 5, 0, 77].map((type) => ({ labels, samples, type }))),
    ).samples;
    assert.deepEqual(
      series.map(({ family }) => family),
      ["counter", "summary", null, null],
    );
  });

  it("knows a message of 1.0 when it sees one", () => {
    const labels = [["__name__", "up"]] as const;
    const other = writeRequest1([{ labels, samples: [{ timestamp: 1, value: 1 }] }]);
    assert.throws(() => decode(other), { status: 400, reason: "other_message" });
    assert.throws(() => decode(writeRequest1([], { up: 2 })), { reason: "other_message" });
  });
});
