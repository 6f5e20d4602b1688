import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { SeriesFit } from "../../services/shared/scaling-fits.js";
import { START_MS, frameLine, tenSecondFeatures } from "./frame-lines.js";
import { runMillrace } from "./run-millrace.js";

const transform = {
  cleaning: { outlier_detection: "iqr", outlier_action: "remove", outlier_window: "60s" },
  imputation: { interval: "1s", max_gap_minutes: 0.25 },
  feature_engineering: tenSecondFeatures,
  lateness: "30s",
};

const frame = (second: number, metrics: Record<string, number>, job = "api") =>
  frameLine(second, metrics, { job });

/** A gauge of 10 to 16, an outlier in second 30 and a gap of the seconds 34 and 35 that is filled; and a counter. */
const seconds = Array.from({ length: 40 }, (_, i) => i).filter((i) => i !== 34 && i !== 35);
const gaugeAt = (second: number) => (second === 30 ? 500 : 10 + (second % 7));
const frames = seconds.flatMap((second) => [
  frame(second, { load: gaugeAt(second), hits_total: 3 * second + (second % 2) }),
  frame(second, { load: -gaugeAt(second) }, "db"),
]);

interface Row {
  metric: string;
  value: number;
  rate: number | null;
  flags: number;
  scaled: number | null;
}

describe("millrace fit", () => {
  let folder: string;
  let config: string;
  const path = (name: string) => join(folder, name);
  const configOf = (name: string, more: object = {}) => {
    writeFileSync(path(name), JSON.stringify({ transform: { ...transform, ...more } }));
    return path(name);
  };
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "millrace-fit-"));
    config = configOf("config.yaml");
  });
  after(() => rmSync(folder, { recursive: true }));

  const fit = (lines: readonly string[], ...args: string[]) =>
    runMillrace(["-c", config, "fit", "--input", "-", ...args], { input: lines.join("\n") });
  const fitsOf = async (lines: readonly string[], ...args: string[]) => {
    const { exitCode, stdout, stderr } = await fit(lines, "--output", "-", ...args);
    assert.equal(exitCode, 0, stderr);
    return (JSON.parse(stdout) as { fits: SeriesFit[] }).fits;
  };
  /** The last row of each time of a series. */
  const rowsOf = async (configFile: string, metric: string, job = "api") => {
    const args = ["-c", configFile, "process", "-i", "-", "-o", "-"];
    const { exitCode, stdout, stderr } = await runMillrace(args, { input: frames.join("\n") });
    assert.equal(exitCode, 0, stderr);
    const rows = new Map<number, Row>();
    for (const line of stdout.trim().split("\n")) {
      const read = JSON.parse(line) as { entity: { job: string }; timestamp: number; rows: Row[] };
      const row = read.rows.find((one) => one.metric === metric);
      if (read.entity.job === job && row !== undefined) rows.set((read.timestamp - START_MS) / 1000, row);
    }
    return rows;
  };

  it("fits what windows see of each series: without removed outliers, gaps filled, rates of counters", async () => {
    const fits = await fitsOf(frames, "--scaler", "min_max");
    assert.deepEqual(
      fits.map(({ entity, of, fit: { scaler, version, fittedOn } }) => [
        entity,
        of,
        scaler,
        version,
        fittedOn,
      ]),
      [
        ["api", "rate", "hits_total{}", 1],
        ["api", "value", "load{}", 0],
        ["db", "value", "load{}", 0],
      ].map(([job, of, series, first]) => [
        { job },
        of,
        "min_max",
        1,
        { columns: [series], fromMs: START_MS + 1000 * Number(first), toMs: START_MS + 39_000 },
      ]),
    );
    const [rates, api, db] = fits.map(({ fit: { columns } }) => columns[0]);
    assert.deepEqual(api, { count: 40, minimum: 10, maximum: 16, scale: 1 / 6, shift: -10 * (1 / 6) });
    assert.deepEqual(db, { count: 40, minimum: -16, maximum: -10, scale: 1 / 6, shift: 16 * (1 / 6) });
    assert.equal(rates.count, 39);
  });

  for (const scaler of ["min_max", "z_score", "robust"]) {
    it(`writes what rows are scaled by: ${scaler}`, async () => {
      const fits = path(`${scaler}.json`);
      const { exitCode, stdout, stderr } = await fit(frames, "-o", fits, "-s", scaler);
      assert.deepEqual([exitCode, stdout], [0, ""]);
      assert.match(stderr, new RegExp(`^76 frames → 3 fits by ${scaler}\n$`));
      const scaling = configOf(`${scaler}.yaml`, { scaling: { fits_file: fits } });

      const load = await rowsOf(scaling, "load");
      const values = [...load.values()].map(({ value }) => value).sort((a, b) => a - b);
      const mean = values.reduce((sum, value) => sum + value, 0) / 40;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 40;
      const quartile = (share: number) => {
        const at = share * 39;
        const [low, high] = [values[Math.floor(at)], values[Math.ceil(at)]];
        return low + (high - low) * (at % 1);
      };
      const scale: Record<string, (value: number) => number> = {
        min_max: (value) => (value - 10) / 6,
        z_score: (value) => (value - mean) / Math.sqrt(variance),
        robust: (value) => (value - quartile(0.5)) / (quartile(0.75) - quartile(0.25)),
      };
      assert.equal(load.size, 40);
      for (const [second, { value, scaled }] of load)
        assert.ok(Math.abs(scaled! - scale[scaler](value)) < 1e-12, `second ${second}: ${value}, ${scaled}`);

      const hits = await rowsOf(scaling, "hits_total");
      assert.equal(hits.get(0)!.scaled, null);
      const scaledRates = [...hits.values()].flatMap(({ scaled }) => scaled ?? []);
      assert.equal(scaledRates.length, 39);
      if (scaler === "min_max")
        assert.deepEqual([Math.min(...scaledRates), Math.max(...scaledRates)].map(Math.round), [0, 1]);
    });
  }

  it("writes the same whatever the order of arrival", async () => {
    // Each run of twenty frames backwards: the gap is filled, and the outlier judged, more than once.
    const late = Array.from({ length: 4 }, (_, i) => frames.slice(20 * i, 20 * i + 20).reverse()).flat();
    const [some, others] = [await fitsOf(frames), await fitsOf(late)];
    assert.notDeepEqual(late, frames);
    assert.deepEqual(others, some);
  });

  it("fits to the times that it is given", async () => {
    const args = ["--from", "2025-10-09T08:53:25Z", "--to", String(START_MS + 11_500)];
    const fits = await fitsOf(frames, "--scaler", "min_max", ...args);
    const { fittedOn, columns } = fits[1].fit;
    assert.deepEqual(fittedOn, { columns: ["load{}"], fromMs: START_MS + 5000, toMs: START_MS + 11_000 });
    assert.equal(columns[0].count, 7);
  });

  it("leaves series without a fit unscaled, and rows whose series was of another kind then", async () => {
    const { fits } = JSON.parse(readFileSync(path("z_score.json"), "utf8")) as { fits: SeriesFit[] };
    const others = fits
      .filter(({ entity }) => entity["job"] === "api")
      .map((one) => ({ ...one, of: "value" }));
    writeFileSync(path("others.json"), JSON.stringify({ version: 1, fits: others }));
    const scaling = configOf("others.yaml", { scaling: { fits_file: path("others.json") } });
    const isScaled = async (metric: string, job: string) =>
      [...(await rowsOf(scaling, metric, job)).values()].some(({ scaled }) => scaled !== null);
    assert.deepEqual(
      [await isScaled("load", "api"), await isScaled("load", "db"), await isScaled("hits_total", "api")],
      [true, false, false],
    );
  });

  it("is explained as every other feature", async () => {
    const scaling = configOf("explained.yaml", { scaling: { fits_file: path("min_max.json") } });
    const args = ["-c", scaling, "explain", 'load{job="api"}', "-i", "-", "--at", String(START_MS + 20_000)];
    const { stdout, stderr } = await runMillrace(args, { input: frames.join("\n") });
    assert.equal(stderr, "");
    assert.match(stdout, /^ {2}scaled +1 {2}\(08:53:39\.999, 08:53:40\] +1 +0 {2}08:53:40 {2}08:53:40$/m);
  });

  const refused: [string, string[], readonly string[], number, RegExp][] = [
    ["a time that is none", ["--from", "soon"], frames, 2, /^USAGE_INVALID: "soon" in --from is no time/],
    [
      "times in the wrong order",
      ["--from", "2", "--to", "1"],
      frames,
      2,
      /^USAGE_INVALID: --from 2 is after/,
    ],
    [
      "an unknown scaler",
      ["-s", "max"],
      frames,
      2,
      /^USAGE_INVALID: .*'max' is invalid.*min_max, z_score, robust/,
    ],
    ["nothing to fit to", ["--to", "1"], frames, 2, /^USAGE_INVALID: standard input has no value to fit to/],
    ["a line that is no frame", [], [...frames, "{"], 1, /^INPUT_INVALID: standard input:77: /],
  ];
  for (const [what, args, lines, code, message] of refused) {
    it(`refuses ${what}, and leaves no output`, async () => {
      const { exitCode, stderr } = await fit(lines, "-o", path("never.json"), ...args);
      assert.equal(exitCode, code, stderr);
      assert.match(stderr, message);
      assert.ok(!readdirSync(folder).some((name) => name.startsWith("never")));
    });
  }
});
