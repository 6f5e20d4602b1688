import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { type PrometheusClient, connectPrometheus } from "../../services/poller/prometheus-client.js";
import { etlSchema } from "../../services/shared/config-schema.js";
import type { ErrorCode } from "../../services/shared/errors.js";
import { type FakePrometheus, refuse, startFakePrometheus } from "./fake-prometheus.js";

const window = { from: 1_760_000_000_000, to: 1_760_000_010_001 };
const { signal } = new AbortController();
const folder = mkdtempSync(join(tmpdir(), "millrace-prometheus-"));
const clients: PrometheusClient[] = [];
let fake: FakePrometheus;

/** A client whose time-outs and waits suit a test. */
function connect(
  overrides: Record<string, unknown> = {},
  options: { maxResponseBytes?: number; onQuery?: (succeeded: boolean) => void } = {},
) {
  const config = etlSchema.parse({ extract: { prometheus: { url: fake.url, timeout: 0.3, ...overrides } } });
  const client = connectPrometheus(config.extract.prometheus, { now: Date.now, firstRetryMs: 1, ...options });
  clients.push(client);
  return client;
}

before(async () => {
  fake = await startFakePrometheus("/prefix");
  fake.store({ __name__: "load", job: "a" }, window.from, 1);
  fake.store({ __name__: "load", job: "a" }, window.from + 5_000, -0);
  fake.store({ __name__: "load", job: "a" }, window.to, Infinity);
  fake.metadata["load"] = [{ type: "gauge" }];
});

afterEach(async () => {
  fake.fault = null;
  fake.requests.length = 0;
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

after(async () => {
  await fake.close();
  rmSync(folder, { recursive: true });
});

describe("connectPrometheus", () => {
  it("tells what each query came to, retries among them", async () => {
    const outcomes: boolean[] = [];
    const client = connect({ retry_attempts: 2 }, { onQuery: (succeeded) => outcomes.push(succeeded) });
    await client.version(signal);
    fake.fault = (_, response) => outcomes.length < 3 && refuse(response, 503, "unavailable");
    await client.version(signal);
    assert.deepEqual(outcomes, [true, false, false, true]);
    fake.fault = (_, response) => refuse(response, 400, "bad_data");
    await assert.rejects(client.samples("load", window, signal), { code: "PROM_QUERY_REFUSED" });
    assert.equal(outcomes.at(-1), false);
  });

  it("tells nothing of a query that the signal cuts short", async () => {
    const outcomes: boolean[] = [];
    const client = connect({}, { onQuery: (succeeded) => outcomes.push(succeeded) });
    const stop = new AbortController();
    fake.fault = () => {
      stop.abort();
      return true;
    };
    await assert.rejects(client.version(stop.signal));
    assert.deepEqual(outcomes, []);
  });

  it("asks no more at a time than max_concurrent_queries", async () => {
    for (const most of [1, 3]) {
      const waiting: (() => void)[] = [];
      let asked = 0;
      let running = 0;
      let peak = 0;
      fake.fault = (_, response) => {
        asked++;
        peak = Math.max(peak, ++running);
        response.once("close", () => running--);
        const answer = () => response.end('{"status":"success","data":{}}');
        // Nobody is answered before as many ask as may, or all have asked.
        waiting.push(answer);
        if (waiting.length === most || asked === 9) for (const one of waiting.splice(0)) one();
        return true;
      };
      const client = connect({ max_concurrent_queries: most, timeout: 5 });
      await Promise.all(Array.from({ length: 9 }, () => client.metadata(signal)));
      assert.equal(peak, most);
    }
  });

  it("reads raw samples of a right-closed window by one instant query", async () => {
    const { series, histograms, serverTime } = await connect().samples("load", window, signal);
    assert.deepEqual(series, [
      {
        labels: { __name__: "load", job: "a" },
        timestamps: Float64Array.of(window.from + 5_000, window.to),
        values: Float64Array.of(-0, Infinity),
      },
    ]);
    assert.deepEqual(histograms, []);
    assert.ok(serverTime <= Date.now() && serverTime > Date.now() - 5_000);
    const { method, path, form } = fake.requests[0];
    assert.deepEqual([method, path], ["POST", "/prefix/api/v1/query"]);
    assert.deepEqual([form.get("query"), form.get("time")], ["load[10001ms]", "1760000010.001"]);
  });

  it("reads series, metadata and version", async () => {
    const client = connect();
    assert.deepEqual(await client.series(["load", "none"], window, signal), [{ __name__: "load", job: "a" }]);
    assert.deepEqual(fake.requests[0].form.getAll("match[]"), ["load", "none"]);
    assert.deepEqual([...(await client.metadata(signal))], [["load", "gauge"]]);
    assert.equal(await client.version(signal), "0.0.0");
  });

  it("authenticates, and follows a secret that changes", async () => {
    const secret = join(folder, "secret");
    writeFileSync(secret, "one\n");
    const basic = connect({ username: "me", password_file: secret });
    const bearer = connect({ bearer_token_file: secret });
    await basic.version(signal);
    await bearer.version(signal);
    writeFileSync(secret, "two\n");
    await bearer.version(signal);
    assert.deepEqual(
      fake.requests.map(({ authorization }) => authorization),
      [`Basic ${Buffer.from("me:one").toString("base64")}`, "Bearer one", "Bearer two"],
    );
  });

  it("tries again what may pass, and then gives the answer", async () => {
    let failures = 3;
    fake.fault = (_request, response) => failures-- > 0 && refuse(response, 500, "internal");
    assert.equal((await connect().samples("load", window, signal)).series.length, 1);
    assert.equal(fake.requests.length, 4);
  });

  it("waits as long as Retry-After says", async () => {
    let failures = 1;
    fake.fault = (_request, response) =>
      failures-- > 0 && refuse(response, 429, "unavailable", { "retry-after": "1" });
    const startedAt = performance.now();
    await connect({ timeout: 5 }).version(signal);
    assert.ok(performance.now() - startedAt >= 1_000);
    assert.equal(fake.requests.length, 2);
  });

  it("leaves a longer Retry-After to the caller", async () => {
    for (const header of ["60", new Date(Date.now() + 60_000).toUTCString()]) {
      fake.fault = (_request, response) => refuse(response, 503, "unavailable", { "retry-after": header });
      await assert.rejects(connect().version(signal), (error: { code: string; retryAfterMs: number }) => {
        assert.equal(error.code, "PROM_UNAVAILABLE");
        assert.ok(error.retryAfterMs > 55_000 && error.retryAfterMs <= 60_000);
        return true;
      });
    }
    assert.equal(fake.requests.length, 2);
  });

  const success = (result: unknown, more = {}) =>
    JSON.stringify({ status: "success", data: { resultType: "matrix", result }, ...more });
  const faults: [
    string,
    ErrorCode,
    number,
    (request: IncomingMessage, response: ServerResponse) => unknown,
  ][] = [
    ["500", "PROM_UNAVAILABLE", 4, (_, response) => refuse(response, 500, "internal")],
    ["503 while it starts", "PROM_UNAVAILABLE", 4, (_, r) => r.writeHead(503).end("Service Unavailable")],
    ["503 of a query's own time-out", "PROM_TIMEOUT", 4, (_, r) => refuse(r, 503, "timeout")],
    ["silence", "PROM_TIMEOUT", 4, () => true],
    ["a body that stalls", "PROM_TIMEOUT", 4, (_, r) => r.writeHead(200).write('{"status":')],
    [
      "a reset in mid-body",
      "PROM_UNAVAILABLE",
      4,
      (_, r) => r.writeHead(200).write('{"status":', () => r.socket?.resetAndDestroy()),
    ],
    [
      "a body shorter than its length",
      "PROM_UNAVAILABLE",
      4,
      (_, r) => r.writeHead(200, { "content-length": "500" }).write('{"status":', () => r.socket?.destroy()),
    ],
    ["a reset before the answer", "PROM_UNAVAILABLE", 4, (request) => request.socket.resetAndDestroy()],
    ["JSON that is cut off", "PROM_BAD_RESPONSE", 4, (_, r) => r.end(success([{ metric: {} }]).slice(0, -9))],
    ["a proxy's page", "PROM_BAD_RESPONSE", 4, (_, r) => r.end("<html>Log in</html>")],
    ["another JSON", "PROM_BAD_RESPONSE", 4, (_, r) => r.end('{"status":"success","data":[]}')],
    ["404", "PROM_BAD_RESPONSE", 4, (_, r) => r.writeHead(404).end("404 page not found")],
    ["a redirect", "PROM_BAD_RESPONSE", 4, (_, r) => r.writeHead(302, { location: "/login" }).end()],
    ["warnings", "PROM_INCOMPLETE", 4, (_, r) => r.end(success([], { warnings: ["remote read failed"] }))],
    ["401", "PROM_UNAUTHORIZED", 1, (_, response) => response.writeHead(401).end("Unauthorized")],
    ["403", "PROM_UNAUTHORIZED", 1, (_, response) => response.writeHead(403).end()],
    ["400", "PROM_QUERY_REFUSED", 1, (_, response) => refuse(response, 400, "bad_data")],
    ["422 of bad data", "PROM_QUERY_REFUSED", 1, (_, response) => refuse(response, 422, "bad_data")],
    [
      "422 of too many samples",
      "PROM_WINDOW_TOO_LARGE",
      1,
      (_, response) => refuse(response, 422, "execution"),
    ],
    ["an answer beyond the limit", "PROM_WINDOW_TOO_LARGE", 1, (_, r) => r.end(" ".repeat(70_000))],
  ];
  for (const [name, code, attempts, fault] of faults)
    it(`${name}: ${code} after ${attempts} attempts, and then as if nothing had been`, async () => {
      const client = connect({}, { maxResponseBytes: 65_536 });
      fake.fault = (request, response) => {
        fault(request, response);
        return true;
      };
      await assert.rejects(client.samples("load", window, signal), { code });
      assert.equal(fake.requests.length, attempts);
      fake.fault = null;
      assert.equal((await client.samples("load", window, signal)).series.length, 1);
    });

  it("infos are no warnings", async () => {
    fake.fault = (_request, response) => {
      response.end(success([], { infos: ["metric might not be a counter"] }));
      return true;
    };
    assert.deepEqual((await connect().samples("load", window, signal)).series, []);
  });

  it("a refused connection is PROM_UNAVAILABLE", async () => {
    const gone = await startFakePrometheus();
    await gone.close();
    await assert.rejects(connect({ url: gone.url, retry_attempts: 0 }).version(signal), {
      code: "PROM_UNAVAILABLE",
      message: /ECONNREFUSED/,
    });
  });

  it("stops with the signal, in a query and between two attempts", async () => {
    fake.fault = () => true;
    for (const afterMs of [0, 20]) {
      const stop = new AbortController();
      const reason = new Error("stop");
      const answer = connect({ timeout: 30 }).version(stop.signal);
      setTimeout(() => stop.abort(reason), afterMs);
      await assert.rejects(answer, reason);
    }
  });

  it(
    "speaks TLS with a private authority",
    { skip: spawnSync("openssl", ["version"]).status !== 0 },
    async () => {
      const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
      const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
      const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
      assert.equal(
        spawnSync("openssl", ["req", "-x509", ...kind, ...subject, "-keyout", key, "-out", cert]).status,
        0,
      );
      const server = createTlsServer(
        { key: readFileSync(key), cert: readFileSync(cert) },
        (_request, response) => response.end('{"status":"success","data":{"version":"3.0.0"}}'),
      );
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      try {
        const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
        assert.equal(await connect({ url, tls: { ca_file: cert } }).version(signal), "3.0.0");
        await assert.rejects(connect({ url, retry_attempts: 0 }).version(signal), {
          code: "PROM_UNAVAILABLE",
        });
      } finally {
        server.close();
        server.closeAllConnections();
      }
    },
  );
});
