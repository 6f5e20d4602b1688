import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { FeatureFrame } from "../../services/shared/frame.js";
import { internEntity, internSeries } from "../../services/shared/series.js";
import { lineOf, linePrefix, tagsOf } from "../../services/sink/line-protocol.js";
import { parseLine } from "./parse-line.js";

function rowFrame(
  metric: string,
  labels: Record<string, string>,
  value: number,
  features: number[] = [],
  timestamp = 1_760_000_000_123,
): FeatureFrame {
  return {
    entity: internEntity({}),
    timestamp,
    revision: 1,
    knownAt: timestamp,
    retracted: false,
    origin: "live",
    series: [internSeries(metric, labels, "gauge")],
    values: Float64Array.of(value),
    flags: new Int32Array(1),
    features: Float64Array.from(features),
  };
}

function line(
  metric: string,
  labels: Record<string, string>,
  value: number,
  columns: string[] = [],
  features: number[] = [],
): string | null {
  const frame = rowFrame(metric, labels, value, features);
  return lineOf(linePrefix(frame.series[0])!, frame, columns, 0);
}

describe("lineOf", () => {
  it("writes measurement, sorted tags, float fields and the time in milliseconds", () => {
    assert.equal(
      line("node_load1", { job: "node", instance: "a:9100" }, 2, ["mean_5m", "rate"], [1.5, -3e-7]),
      "node_load1,instance=a:9100,job=node value=2,mean_5m=1.5,rate=-3e-7 1760000000123",
    );
  });

  it("leaves out what is not finite, and gives no line where nothing is left", () => {
    assert.equal(
      line("m", { a: "b" }, 1, ["x", "y", "z"], [NaN, 2, Infinity]),
      "m,a=b value=1,y=2 1760000000123",
    );
    assert.equal(line("m", { a: "b" }, NaN, ["x", "y"], [-Infinity, 4]), "m,a=b y=4 1760000000123");
    assert.equal(line("m", { a: "b" }, Infinity, ["x"], [NaN]), null);
  });

  it("takes the row that it is asked for", () => {
    const frame = rowFrame("m", { a: "0" }, 1, [10, 11]);
    frame.series.push(internSeries("m", { a: "1" }, "gauge"));
    frame.values = Float64Array.of(1, 2);
    frame.features = Float64Array.of(10, 11, 20, 21);
    assert.equal(
      lineOf(linePrefix(frame.series[1])!, frame, ["x", "y"], 1),
      "m,a=1 value=2,x=20,y=21 1760000000123",
    );
  });

  it("keeps every double as it is, the sign of zero too", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const [[, read]] = parseLine(line("m", {}, value)!).fields;
        assert.ok(Object.is(read, value), `${value} came back as ${read}`);
      }),
      { seed: 3, numRuns: 1000 },
    );
  });
});

describe("linePrefix", () => {
  it("escapes commas, spaces and, in tags, equals signs", () => {
    const series = internSeries("a metric,b=c", { "k, =": 'v "quoted", x=y' }, "gauge");
    assert.equal(linePrefix(series), 'a\\ metric\\,b=c,k\\,\\ \\==v\\ "quoted"\\,\\ x\\=y');
  });

  it("leaves backslashes alone, but puts a space after one at the end, which would escape what follows", () => {
    const series = internSeries("m", { path: "C:\\dir\\x", volume: "C:\\" }, "gauge");
    assert.equal(linePrefix(series), "m,path=C:\\dir\\x,volume=C:\\\\ ");
    assert.deepEqual(parseLine(`${linePrefix(series)!} value=1 1`).tags, [
      ["path", "C:\\dir\\x"],
      ["volume", "C:\\ "],
    ]);
  });

  it("writes line breaks as \\n and \\r", () => {
    assert.equal(linePrefix(internSeries("m", { a: "x\ny\rz" }, "gauge")), "m,a=x\\ny\\rz");
  });

  it("leaves out empty labels", () => {
    assert.equal(linePrefix(internSeries("m", { a: "", b: "c" }, "gauge")), "m,b=c");
    assert.equal(linePrefix(internSeries("m", { a: "" }, "gauge")), "m");
  });

  it("refuses what InfluxDB would take for a comment or skip as white space", () => {
    for (const metric of ["#m", "\tm", "\0m"])
      assert.equal(linePrefix(internSeries(metric, {}, "gauge")), null);
    assert.equal(linePrefix(internSeries(" m", {}, "gauge")), "\\ m");
  });

  it("reads back as the same measurement and tags, whatever they are", () => {
    const text = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.string({ minLength: 1, unit: fc.constantFrom(...Array.from("ab,= \\\"'\n\r\tüé😀")) }),
    );
    const metric = text.filter((name) => !/^[#\t\0]/.test(name));
    // InfluxDB cannot have two tags of one name, which is what these would be after writing.
    const labels = fc
      .dictionary(text, text, { maxKeys: 6, noNullPrototype: true })
      .filter((map) => new Set(Object.keys(map).map(asWritten)).size === Object.keys(map).length);
    fc.assert(
      fc.property(metric, labels, (name, map) => {
        const series = internSeries(name, map, "gauge");
        const parsed = parseLine(`${linePrefix(series)!} value=1 1`);
        assert.equal(parsed.measurement, asWritten(name));
        const expected = Object.keys(map)
          .sort()
          .map((label) => [asWritten(label), asWritten(map[label])]);
        assert.deepEqual(parsed.tags, expected);
        assert.deepEqual(tagsOf(series), expected);
      }),
      { seed: 4, numRuns: 2000 },
    );
  });
});

function asWritten(name: string): string {
  const oneLine = name.split("\n").join("\\n").split("\r").join("\\r");
  return oneLine.at(-1) === "\\" ? `${oneLine} ` : oneLine;
}
