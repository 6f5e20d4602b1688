import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { parseConfig } from "../../services/shared/config.js";
import { createLogger, createTelemetry } from "../../services/shared/telemetry.js";
import { faultsBetween } from "../../services/simulator/faults.js";
import { startSimulator } from "../../services/simulator/main.js";
import { parseExposition, sumOf } from "./exposition-text.js";

/** One whose schedule has missing scrapes within the hour, though not at its start. */
const SEED = 2;
const FAULT_RATE = 60;
const FROM = 1_760_097_600;

interface Truth {
  faults: { fault: string; target: string; start_ms: number; end_ms: number; strength: number }[];
}

describe("startSimulator", () => {
  const telemetry = createTelemetry("simulator");
  let second = FROM;
  let address = "";
  let stop = () => Promise.resolve();
  const get = (path: string) => fetch(address + path);

  const schedule = faultsBetween(SEED, FAULT_RATE, FROM, FROM + 3600);
  const missing = schedule.find(({ kind, start }) => kind === "missing_scrapes" && start > FROM)!;

  before(async () => {
    const config = parseConfig(`simulator: { seed: ${SEED}, fault_rate: ${FAULT_RATE} }`, "test.yaml");
    const context = {
      config,
      logger: createLogger("simulator", "silent"),
      telemetry,
      stopping: new AbortController().signal,
      fail: (error: unknown) => assert.fail(String(error)),
    };
    stop = await startSimulator(context, () => second * 1000);
    address = `http://127.0.0.1:${await telemetry.listen("127.0.0.1", 0)}`;
  });
  after(async () => {
    await stop();
    await telemetry.close();
  });

  it("serves the services' metrics, and its own apart from them", async () => {
    const response = await get("/metrics/application");
    assert.equal(response.status, 200);
    assert.match(response.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    assert.ok(sumOf(parseExposition(text), "application_requests_total", '"gateway"') > 0);
    assert.ok(!text.includes("process_cpu"));

    const own = await (await get("/metrics")).text();
    assert.match(own, /process_cpu_seconds_total\{service="simulator"\}/);
    assert.ok(!own.includes("application_requests_total"));
  });

  it("goes on with the clock", async () => {
    const requests = async () =>
      sumOf(parseExposition(await (await get("/metrics/application")).text()), "application_requests_total");
    const before = await requests();
    assert.equal(await requests(), before);
    second += 5;
    assert.ok((await requests()) > before);
  });

  it("fails scrapes while they are to be missed, and tells of it", async () => {
    second = missing.start;
    assert.equal((await get("/metrics/application")).status, 503);
    assert.equal((await get("/metrics")).status, 200);
    second = missing.end - 1;
    assert.equal((await get("/metrics/application")).status, 503);

    second = schedule.reduce((end, fault) => Math.max(end, fault.end), 0);
    const samples = parseExposition(await (await get("/metrics/application")).text());
    assert.ok(samples.get('fault_injection_total{service="all",fault="missing_scrapes"}')! >= 1);

    const { faults } = (await (await get("/faults")).json()) as Truth;
    assert.deepEqual(
      faults.find(({ fault }) => fault === "missing_scrapes"),
      {
        fault: "missing_scrapes",
        target: "all",
        start_ms: missing.start * 1000,
        end_ms: missing.end * 1000,
        strength: 1,
      },
    );
  });

  it("lists the faults since its start, present ones too and future ones never", async () => {
    const listed = async (query = "") => ((await (await get(`/faults${query}`)).json()) as Truth).faults;
    const { start, end } = schedule.at(-1)!;
    second = start - 1;
    const past = await listed();
    assert.ok(past.length > 0 && past.length < schedule.length);
    second = start;
    const faults = await listed();
    assert.equal(faults.length, schedule.filter((fault) => fault.start <= start).length);
    assert.equal(faults.at(-1)!.end_ms, end * 1000);
    assert.deepEqual(
      await listed(`?from=${start * 1000}`),
      faults.filter(({ end_ms }) => end_ms > start * 1000),
    );
    assert.deepEqual(await listed(`?to=${FROM * 1000 - 1}&from=${FROM * 1000 - 1}`), []);
    assert.equal((await get("/faults?from=yesterday")).status, 400);
  });
});
