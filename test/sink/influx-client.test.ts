import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { MillraceError } from "../../services/shared/errors.js";
import { type InfluxClient, createInfluxClient } from "../../services/sink/influx-client.js";
import { type FakeInfluxDb, answer, page, reset, silence, startFakeInfluxDb } from "./fake-influxdb.js";
import { until } from "./until.js";

const NOW = Date.parse("2026-11-24T12:00:00Z");

describe("createInfluxClient", () => {
  let fake: FakeInfluxDb;
  let client: InfluxClient;
  const running = new AbortController();
  const write = (...lines: string[]) => client.write(lines.join("\n"), running.signal);

  before(async () => {
    fake = await startFakeInfluxDb();
    client = createInfluxClient(
      { url: fake.url, org: "my org", bucket: "a&b", timeoutMs: 300, now: () => NOW },
      "secret",
    );
  });
  after(async () => {
    client.close();
    await fake.close();
  });
  afterEach(() => {
    fake.requests.length = 0;
    fake.faults.length = 0;
  });

  async function failure(promise: Promise<unknown>): Promise<MillraceError> {
    try {
      await promise;
    } catch (error) {
      assert.ok(error instanceof MillraceError, String(error));
      return error;
    }
    throw new assert.AssertionError({ message: "it did not fail" });
  }

  it("sends gzipped lines with token, organisation, bucket and precision", async () => {
    assert.deepEqual(await write("m,a=ü value=1 1", "m,a=b value=2 1"), { kind: "accepted" });
    const [request] = fake.requests;
    assert.equal(request.path, "/api/v2/write?org=my%20org&bucket=a%26b&precision=ms");
    assert.equal(request.headers.authorization, "Token secret");
    assert.equal(request.headers["content-encoding"], "gzip");
    assert.deepEqual(request.lines, ["m,a=ü value=1 1", "m,a=b value=2 1"]);
  });

  it("asks without lines whether lines could be written", async () => {
    assert.deepEqual(await write(), { kind: "accepted" });
    assert.deepEqual(fake.requests[0].lines, []);
  });

  it("gives InfluxDB's words where it refuses lines", async () => {
    for (const [status, code] of [
      [400, "invalid"],
      [422, "unprocessable entity"],
    ] as const) {
      fake.faults.push(answer(status, code, "unable to parse 'x': missing fields"));
      assert.deepEqual(await write("x"), { kind: "refused", words: "unable to parse 'x': missing fields" });
    }
    fake.faults.push(answer(413, "request too large", "points batch is too large"));
    assert.deepEqual(await write("x"), { kind: "too_large", words: "points batch is too large" });
    fake.faults.push(page(413));
    assert.equal((await write("x")).kind, "too_large");
  });

  it("is unauthorised by 401 and 403, and names the token's file as what to look at", async () => {
    fake.faults.push(
      answer(401, "unauthorized", "unauthorized access"),
      answer(403, "forbidden", "insufficient permissions for write"),
    );
    const error = await failure(write("x"));
    assert.equal(error.code, "INFLUX_UNAUTHORIZED");
    assert.match(error.message, /unauthorized access/);
    assert.match(error.action, /token_file/);
    assert.ok(!error.message.includes("secret"));
    assert.equal((await failure(write("x"))).code, "INFLUX_UNAUTHORIZED");
  });

  it("misses the bucket by 404", async () => {
    fake.faults.push(answer(404, "not found", 'bucket "a&b" not found'));
    const error = await failure(write("x"));
    assert.equal(error.code, "INFLUX_BUCKET_MISSING");
    assert.match(error.message, /bucket "a&b" not found/);
    assert.equal(error.retryable, false);
  });

  it("is unavailable by 429 and 5xx, and honours Retry-After in seconds and as a date", async () => {
    fake.faults.push(
      answer(429, "too many requests", "limit", { "retry-after": "7" }),
      answer(503, "unavailable", "later", { "retry-after": new Date(NOW + 90_000).toUTCString() }),
      answer(503, "unavailable", "later", { "retry-after": new Date(NOW - 90_000).toUTCString() }),
      answer(503, "unavailable", "later", { "retry-after": "soon" }),
      answer(500, "internal error", "engine is closed"),
      page(502),
    );
    for (const wait of [7_000, 90_000, 0, undefined, undefined, undefined]) {
      const error = await failure(write("x"));
      assert.equal(error.code, "INFLUX_UNAVAILABLE");
      assert.equal(error.retryable, true);
      assert.equal(error.retryAfterMs, wait);
    }
  });

  it("takes no other server's word for a refusal or a success", async () => {
    fake.faults.push(page(400), page(422), page(200), page(302));
    for (let i = 0; i < 4; i++) assert.equal((await failure(write("x"))).code, "INFLUX_UNAVAILABLE");
  });

  it("is unavailable where the connection is refused, reset, or silent beyond the time-out, which closes it", async () => {
    fake.faults.push(reset, silence);
    assert.equal((await failure(write("x"))).code, "INFLUX_UNAVAILABLE");
    const error = await failure(write("x"));
    assert.equal(error.code, "INFLUX_UNAVAILABLE");
    assert.match(error.message, /no answer within 0\.3 s/);
    await until(() => fake.underWay() === 0, "the request to be closed");

    const nobody = createInfluxClient(
      { url: "http://127.0.0.1:1", org: "o", bucket: "b", timeoutMs: 300, now: () => NOW },
      "t",
    );
    assert.equal((await failure(nobody.write("x", running.signal))).code, "INFLUX_UNAVAILABLE");
    nobody.close();
  });

  it("rejects with the signal's reason, and closes the request", async () => {
    fake.faults.push(silence);
    const stop = new AbortController();
    const writing = client.write("x", stop.signal);
    await until(() => fake.requests.length === 1, "the request to arrive");
    const reason = new Error("stopping");
    stop.abort(reason);
    await assert.rejects(writing, reason);
    await until(() => fake.underWay() === 0, "the request to be closed");
    await assert.rejects(client.write("x", stop.signal), reason);
    assert.equal(fake.requests.length, 1, "nothing is sent any more");
  });

  it("deletes at one millisecond", async () => {
    await client.deleteAt(1_760_000_000_123, '"_measurement"="m"', running.signal);
    assert.equal(fake.requests[0].path, "/api/v2/delete?org=my%20org&bucket=a%26b");
    assert.deepEqual(JSON.parse(fake.requests[0].lines[0]), {
      start: "2025-10-09T08:53:20.123Z",
      stop: "2025-10-09T08:53:20.123Z",
      predicate: '"_measurement"="m"',
    });
  });
});
