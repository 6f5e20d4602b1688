import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createExtractor } from "../../services/poller/extractor.js";
import type { PrometheusClient } from "../../services/poller/prometheus-client.js";
import type { Window } from "../../services/poller/window.js";
import { MillraceError } from "../../services/shared/errors.js";

const START_MS = 1_760_000_000_000;
const STEP_MS = 1_000;

/** Answers each time with itself, of two series in turn; ranges of more than `most` values are too much for it. */
function openExtractor(most = Infinity, aborting = new AbortController()) {
  const asked: Window[] = [];
  const client = {
    range: (query: string, window: Window, stepMs: number) => {
      asked.push(window);
      const count = (window.to - window.from) / stepMs;
      if (query === "wrong") throw new MillraceError("PROM_QUERY_REFUSED", "no such function");
      if (count > most) throw new MillraceError("PROM_WINDOW_TOO_LARGE", "too many samples");
      const timestamps = Float64Array.from({ length: count }, (_, i) => window.from + (i + 1) * stepMs);
      return Promise.resolve([{ labels: { __name__: "x" }, timestamps, values: timestamps }]);
    },
    instant: (_query: string, atMs: number) => Promise.resolve([{ labels: {}, value: atMs }]),
    family: () => Promise.resolve(null),
    series: () =>
      Promise.resolve([
        { __name__: "x", job: "a", mode: "idle" },
        { __name__: "x", job: "a", mode: "user" },
      ]),
  };
  const extractor = createExtractor({
    client: client as unknown as PrometheusClient,
    source: "test",
    signal: aborting.signal,
    now: Date.now,
  });
  return { extractor, asked };
}

describe("createExtractor", () => {
  it("splits a range where Prometheus gives no more values, without a gap or a value twice", async () => {
    const { extractor, asked } = openExtractor();
    const steps = { from: START_MS, to: START_MS + 25_000 * STEP_MS, stepMs: STEP_MS };
    const { data, success, metadata } = await extractor.range("x", steps);
    assert.ok(success);
    assert.deepEqual(
      [...data![0].timestamps],
      Array.from({ length: 25_001 }, (_, i) => START_MS + i * STEP_MS),
    );
    assert.deepEqual({ ...metadata, tookMs: 0 }, { query: "x", series: 1, samples: 25_001, tookMs: 0 });
    assert.ok(asked.every(({ from, to }) => (to - from) / STEP_MS <= 11_000));
    assert.equal(asked.length, 3);
  });

  it("halves what is too much for Prometheus", async () => {
    const { extractor } = openExtractor(100);
    const steps = { from: START_MS, to: START_MS + 1_000 * STEP_MS, stepMs: STEP_MS };
    const { data } = await extractor.range("x", steps);
    assert.equal(data![0].timestamps.length, 1_001);
    const { error, data: none } = await openExtractor(0).extractor.range("x", steps);
    assert.deepEqual([error?.code, none], ["PROM_WINDOW_TOO_LARGE", null]);
  });

  it("says what went wrong as a value, and refuses more steps than one extraction may hold", async () => {
    const { extractor, asked } = openExtractor();
    const failed = await extractor.range("wrong", { from: START_MS, to: START_MS, stepMs: STEP_MS });
    assert.deepEqual([failed.success, failed.data, failed.source], [false, null, "test"]);
    assert.deepEqual(failed.error?.code, "PROM_QUERY_REFUSED");
    assert.ok(failed.error.action.length > 10);
    const endless = await extractor.range("x", { from: 0, to: START_MS, stepMs: STEP_MS });
    assert.equal(endless.error?.code, "USAGE_INVALID");
    assert.equal(asked.length, 1);
  });

  it("describes a metric that no target tells of by its series", async () => {
    const { data } = await openExtractor().extractor.metadata("x", { from: 0, to: START_MS });
    const told = { metric: "x", type: "unknown", help: "", unit: "", series: 2, labels: { job: 1, mode: 2 } };
    assert.deepEqual(data, told);
  });

  it("streams values at multiples of the interval, one after the other, until the signal", async () => {
    const stopping = new AbortController();
    const { extractor } = openExtractor(Infinity, stopping);
    const times: number[] = [];
    await extractor.stream("x", 20, ({ data }) => {
      times.push(data![0].value);
      if (times.length === 5) stopping.abort();
    });
    assert.equal(times.length, 5);
    assert.ok(times.every((ms, i) => ms % 20 === 0 && (i === 0 || ms > times[i - 1])));
  });
});
