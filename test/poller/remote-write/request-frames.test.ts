import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createCommittedSamples } from "../../../services/poller/remote-write/committed-samples.js";
import type { PushedSamples } from "../../../services/poller/remote-write/decoded-request.js";
import type { KnownSeries } from "../../../services/poller/remote-write/known-series.js";
import { createPushedTypes } from "../../../services/poller/remote-write/metadata-types.js";
import { framesOf } from "../../../services/poller/remote-write/request-frames.js";
import type { RawFrame } from "../../../services/shared/frame.js";
import { internEntity } from "../../../services/shared/series.js";

type Row = readonly [series: KnownSeries, timestamp: number, value: number | "stale"];

function known(metric: string, job: string, family: string | null = null): KnownSeries {
  return { metric, labels: { job }, entity: internEntity({ job }), family, typed: null };
}

function request(...rows: Row[]): PushedSamples {
  return {
    series: rows.map(([series]) => series),
    timestamps: rows.map(([, timestamp]) => timestamp),
    values: rows.map(([, , value]) => (value === "stale" ? NaN : value)),
    stale: rows.map(([, , value]) => value === "stale"),
  };
}

/** A frame as text. */
function shown({ entity, timestamp, series, values, stale }: RawFrame): string {
  const rows = series.map(
    ({ metric, type }, i) => `${metric}:${type}=${stale[i] === 1 ? "stale" : values[i]}`,
  );
  return `${entity.key} ${timestamp} ${rows.join(" ")}`;
}

const begin = () => ({
  committed: createCommittedSamples(1_000),
  types: createPushedTypes(),
  ingestedAt: 99,
});

describe("framesOf", () => {
  it("puts what an entity has at one time into one frame, from whichever request, in order of time", () => {
    const [a, b, other] = [known("a", "x"), known("b", "x"), known("a", "w")];
    const { frames, again } = framesOf(
      [request([a, 2, 1], [a, 1, 5]), request([b, 2, "stale"], [other, 2, NaN])],
      begin(),
    );
    assert.deepEqual(frames.map(shown), [
      '{job="x"} 1 a:unknown=5',
      '{job="w"} 2 a:unknown=NaN',
      '{job="x"} 2 a:unknown=1 b:unknown=stale',
    ]);
    assert.equal(again, 0);
    for (const frame of frames)
      assert.deepEqual([frame.origin, frame.source, frame.ingestedAt], ["remote_write", "remote_write", 99]);
  });

  it("leaves out what was written before, and what comes twice", () => {
    const to = begin();
    const a = known("a", "x");
    framesOf([request([a, 1, 1], [a, 2, "stale"])], to);
    const { frames, again } = framesOf(
      [request([a, 1, 1], [a, 2, "stale"], [a, 3, 1]), request([a, 3, 1])],
      to,
    );
    assert.deepEqual(frames.map(shown), ['{job="x"} 3 a:unknown=1']);
    assert.equal(again, 3);
  });

  it("keeps another value for the same time, in a frame of its own", () => {
    const a = known("a", "x");
    const { frames } = framesOf([request([a, 1, 1], [known("b", "x"), 1, 3], [a, 1, 2])], begin());
    assert.deepEqual(frames.map(shown).toSorted(), [
      '{job="x"} 1 a:unknown=1 b:unknown=3',
      '{job="x"} 1 a:unknown=2',
    ]);
  });

  it("gives each series the type that is known by then", () => {
    const to = begin();
    const a = known("a", "x");
    const counter = known("a_total", "x");
    const told = known("c", "x", "gauge");
    const at = (timestamp: number) =>
      framesOf([request([a, timestamp, 1], [counter, timestamp, 1], [told, timestamp, 1])], to).frames.map(
        shown,
      );
    assert.deepEqual(at(1), ['{job="x"} 1 a:unknown=1 a_total:counter=1 c:gauge=1']);
    to.types.learn(new Map([["a", "summary"]]));
    assert.deepEqual(at(2), ['{job="x"} 2 a:summary=1 a_total:counter=1 c:gauge=1']);
  });
});

describe("createPushedTypes", () => {
  it("tells the type of a series by its family, and of its parts by theirs", () => {
    const types = createPushedTypes();
    types.learn(
      new Map([
        ["h", "histogram"],
        ["s", "summary"],
        ["g", "gauge"],
      ]),
    );
    const cases = { h_bucket: "counter", h_sum: "counter", s: "summary", s_count: "counter", g: "gauge" };
    for (const [metric, type] of Object.entries(cases)) assert.equal(types.of(metric, null), type, metric);
    assert.equal(types.of("g_sum", null), "unknown");
  });

  it("takes the word that came with a series over what it has heard of the family", () => {
    const types = createPushedTypes();
    types.learn(new Map([["x", "gauge"]]));
    const cases = [
      ["x", "counter", "counter"],
      ["x_bucket", "histogram", "counter"],
      ["x_count", "summary", "counter"],
      ["x", "summary", "summary"],
      ["x_bucket", "gaugehistogram", "gauge"],
      ["x", "stateset", "gauge"],
      ["x_sum", "gauge", "gauge"],
    ] as const;
    for (const [metric, word, type] of cases) assert.equal(types.of(metric, word), type, `${metric} ${word}`);
  });

  it("knows from Kafka what it was told before it was started anew, until it is told otherwise", () => {
    const types = createPushedTypes();
    types.restore("x", "gauge");
    types.restore("y", "unknown");
    assert.deepEqual([types.of("x", null), types.of("y", null)], ["gauge", "unknown"]);
    const { version } = types;
    const before = version();
    types.learn(new Map([["x", "counter"]]));
    assert.equal(types.of("x", null), "counter");
    types.learn(new Map([["x", "counter"]]));
    assert.equal(version(), before + 1);
  });

  it("remembers so many families", () => {
    const types = createPushedTypes(2);
    types.learn(new Map(["a", "b", "c"].map((family) => [family, "gauge"])));
    types.learn(new Map([["a", "summary"]]));
    assert.deepEqual(
      ["a", "b", "c"].map((metric) => types.of(metric, null)),
      ["summary", "gauge", "unknown"],
    );
  });
});
