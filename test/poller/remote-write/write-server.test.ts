import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request as tlsRequest } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { totalOf } from "../../../services/cli/metrics-text.js";
import { waitFor } from "../../flow/wait-for.js";
import { type Sent, type TestReceiver, openTestReceiver, sendBody, type2 } from "./test-receiver.js";
import { type SentSeries, compressed, writeRequest1, writeRequest2 } from "./write-messages.js";

type Labels = Readonly<Record<string, string>>;

/** A sample now of each of the label sets, as the compliance suite of Prometheus sends them. */
function seriesOf(value: number | "stale", ...labelSets: Labels[]): SentSeries[] {
  return labelSets.map((labels) => ({
    labels: Object.entries(labels),
    samples: [{ timestamp: 1_000, value }],
  }));
}

const senders = {
  "1.0": (port: number, series: readonly SentSeries[]) => sendBody(port, compressed(writeRequest1(series))),
  "2.0": (port: number, series: readonly SentSeries[]) =>
    sendBody(port, compressed(writeRequest2(series)), {
      headers: { "content-type": type2, "x-prometheus-remote-write-version": "2.0.0" },
    }),
} as const;

function writtenCounts({ headers }: Sent): (string | string[] | undefined)[] {
  return ["samples", "histograms", "exemplars"].map(
    (what) => headers[`x-prometheus-remote-write-${what}-written`],
  );
}

const values = { "1.0": 1, StaleNaN: "stale", NaN: NaN, Inf: Infinity, "-Inf": -Infinity } as const;
const target = { __name__: "up", job: "testjob", instance: "localhost:9090" };

/** The receiver's cases of the public compliance suite, prometheus/compliance, remotewrite/receiver, and more of their kind. */
describe("answers of the remote-write receiver", () => {
  let receiver: TestReceiver;
  let port: number;

  before(async () => {
    receiver = await openTestReceiver();
    ({ port } = receiver.server);
  });
  after(() => receiver.close());

  for (const [protocol, send] of Object.entries(senders)) {
    for (const [valueName, value] of Object.entries(values)) {
      const accepted: Record<string, Labels[]> = {
        "a simple metric": [{ __name__: "up" }],
        "several labels": [target],
        newlines: [{ ...target, job: "test\njob\n" }],
        dots: [{ __name__: "resource.cpu.usage", "job.name": "testjob", "instance.name": "localhost:9090" }],
        blanks: [{ __name__: "resource cpu usage", "job name": "testjob" }],
        "several metrics": [1, 2, 3, 4].map((i) => ({ ...target, instance: `localhost:909${i}` })),
      };
      for (const [what, labelSets] of Object.entries(accepted)) {
        it(`${protocol}: ${valueName}, ${what}: written`, async () => {
          receiver.writtenSamples.length = 0;
          const sent = await send(port, seriesOf(value, ...labelSets));
          assert.deepEqual(
            [sent.status, sent.text, ...writtenCounts(sent)],
            [204, "", String(labelSets.length), "0", "0"],
          );
          const text = `${labelSets[0]["__name__"]}@1000 ${value}`;
          assert.deepEqual(
            receiver.writtenSamples,
            labelSets.map(() => text),
          );
        });
      }

      const nameless = { job: target.job, instance: target.instance };
      const refused: Record<string, [Labels[], number]> = {
        "no name": [[nameless], 0],
        "no labels": [[{}], 0],
        "several without a name": [[nameless, { job: "b" }], 0],
        "one of four without a name": [
          [nameless, target, { ...target, job: "b" }, { ...target, job: "c" }],
          3,
        ],
      };
      for (const [what, [labelSets, written]] of Object.entries(refused)) {
        it(`${protocol}: ${valueName}, ${what}: the rest is written, and 400`, async () => {
          receiver.writtenSamples.length = 0;
          const sent = await send(port, seriesOf(value, ...labelSets));
          assert.deepEqual([sent.status, ...writtenCounts(sent)], [400, String(written), "0", "0"]);
          assert.match(sent.text, /^Not written: \d samples: a series has no label __name__\.\n$/);
          assert.equal(receiver.writtenSamples.length, written);
        });
      }
    }

    it(`${protocol}: a counter with the time that it began at: written`, async () => {
      const series = seriesOf(100, { __name__: "http_requests_total", job: "api" });
      const sent = await send(port, [{ ...series[0], startTimestamp: 500 }]);
      assert.deepEqual([sent.status, ...writtenCounts(sent)], [204, "1", "0", "0"]);
    });

    it(`${protocol}: a request without series: 204`, async () => {
      const sent = await send(port, []);
      assert.deepEqual([sent.status, ...writtenCounts(sent)], [204, "0", "0", "0"]);
    });

    it(`${protocol}: old samples, and samples out of order: written`, async () => {
      receiver.writtenSamples.length = 0;
      const samples = [50, 2_000, 1].map((timestamp) => ({ timestamp, value: 1 }));
      const sent = await send(port, [{ labels: Object.entries(target), samples }]);
      assert.equal(sent.status, 204);
      assert.deepEqual(receiver.writtenSamples, ["up@50 1", "up@2000 1", "up@1 1"]);
    });
  }

  it("2.0: native histograms and exemplars are told of as not written, samples beside them are", async () => {
    const [one] = seriesOf(1, target);
    const { labels } = one;
    const sent = await senders["2.0"](port, [
      { ...one, exemplars: 2 },
      { labels, histograms: 1 },
    ]);
    assert.deepEqual([sent.status, ...writtenCounts(sent)], [400, "1", "0", "0"]);
    assert.match(sent.text, /1 native histograms: .+; 2 exemplars: /);
  });

  it("1.0: native histograms and exemplars are none of its parts, so they are dropped and counted", async () => {
    const dropped = async () =>
      totalOf(await receiver.metrics(), "millrace_poller_remote_write_dropped_total") ?? 0;
    const before = await dropped();
    const [one] = seriesOf(1, target);
    const sent = await senders["1.0"](port, [{ ...one, exemplars: 2, histograms: 1 }]);
    assert.deepEqual([sent.status, ...writtenCounts(sent)], [204, "1", "0", "0"]);
    assert.equal(await dropped(), before + 3);
  });

  it("1.0: metadata alone: 204", async () => {
    const sent = await sendBody(port, compressed(writeRequest1([], { up: 2 })));
    assert.equal(sent.status, 204);
  });

  const body1 = compressed(writeRequest1(seriesOf(1, target)));
  const body2 = compressed(writeRequest2(seriesOf(1, target)));
  const types: [string | undefined, Buffer, number][] = [
    ["application/x-protobuf", body1, 204],
    ["application/x-protobuf;proto=prometheus.WriteRequest", body1, 204],
    ['Application/X-Protobuf ; charset=utf-8; Proto="prometheus.WriteRequest"', body1, 204],
    [undefined, body1, 204],
    [type2, body2, 204],
    ["application/x-protobuf; proto=io.prometheus.write.v2.Request", body2, 204],
    ["application/x-protobuf;proto=io.prometheus.write.v3.Request", body2, 415],
    ["application/x-protobuf;proto=", body1, 415],
    ["application/json", body1, 415],
    ["image/png", body1, 415],
    ["text/plain;proto=io.prometheus.write.v2.Request", body2, 415],
    // The other message than the one that is said: not a success of nothing.
    ["application/x-protobuf", body2, 400],
    [type2, body1, 400],
  ];
  for (const [type, body, status] of types) {
    const message = body === body1 ? "1.0" : "2.0";
    it(`a message of ${message} as ${type ?? "no type"}: ${status}`, async () => {
      const sent = await sendBody(port, body, { headers: { "content-type": type } });
      assert.deepEqual([sent.status, writtenCounts(sent)[0]], [status, status === 204 ? "1" : "0"]);
      assert.equal(sent.text === "", status === 204);
    });
  }

  const encodings: [string | undefined, number][] = [
    ["snappy", 204],
    ["Snappy", 204],
    [undefined, 204],
    ["gzip", 415],
    ["deflate", 415],
    ["zstd", 415],
    ["snappy, gzip", 415],
  ];
  for (const [encoding, status] of encodings) {
    it(`the encoding ${encoding ?? "left out"}: ${status}`, async () => {
      const sent = await sendBody(port, body1, { headers: { "content-encoding": encoding } });
      assert.equal(sent.status, status);
    });
  }

  for (const version of [undefined, "0.1.0", "2.0.0", "20.0", "x"]) {
    it(`the version ${version ?? "left out"}: it does not count, the type does`, async () => {
      const headers = { "x-prometheus-remote-write-version": version };
      assert.equal((await sendBody(port, body1, { headers })).status, 204);
      assert.equal(
        (await sendBody(port, body2, { headers: { ...headers, "content-type": type2 } })).status,
        204,
      );
    });
  }

  const corrupt: Record<string, Buffer> = {
    "an empty body": Buffer.alloc(0),
    "a body that is not compressed": writeRequest1(seriesOf(1, target)),
    "another first byte, as in the compliance suite": Buffer.concat([Buffer.from("0"), body1.subarray(1)]),
    "a length that never ends": Buffer.concat([Buffer.of(0xff), body1.subarray(1)]),
    "a truncated body": body1.subarray(0, body1.length - 1),
    "more than its length says": Buffer.concat([body1, Buffer.from("abc")]),
    "a literal of negative length, by which some decoders never end": Buffer.from(
      "05fcfbffffff41424344",
      "hex",
    ),
    "snappy's framed format": Buffer.from("ff060000734e61507059", "hex"),
    "no protobuf": compressed(Buffer.from("{}")),
  };
  for (const [what, body] of Object.entries(corrupt)) {
    it(`${what}: 400`, async () => {
      const sent = await sendBody(port, body);
      assert.deepEqual([sent.status, ...writtenCounts(sent)], [400, "0", "0", "0"]);
    });
  }

  it("another path, another method: 404, 405", async () => {
    assert.equal((await sendBody(port, body1, { path: "/write" })).status, 404);
    const { status, headers } = await sendBody(port, Buffer.alloc(0), { method: "GET" });
    assert.deepEqual([status, headers.allow], [405, "POST"]);
    assert.equal((await sendBody(port, body1, { path: "/api/v1/write?x=1" })).status, 204);
  });

  it("counts requests by protocol and status, and refusals by reason", async () => {
    const metrics = await receiver.metrics();
    const labelled = (name: string, labels: Record<string, string>) =>
      metrics.find(
        (sample) =>
          sample.name === `millrace_poller_remote_write_${name}_total` &&
          Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
      )?.value ?? 0;
    assert.ok(labelled("requests", { protocol: "2.0", status: "204" }) > 30);
    assert.ok(labelled("requests", { protocol: "none", status: "415" }) > 5);
    assert.equal(labelled("refused_samples", { reason: "name_missing" }), 2 * 5 * 5);
    assert.ok(labelled("refused_requests", { reason: "content_encoding" }) >= 4);
    assert.ok(labelled("refused_requests", { reason: "snappy" }) >= 6);
  });
});

describe("limits of the remote-write receiver", () => {
  const series = Array.from({ length: 20 }, (_, i) => ({ ...target, instance: `host-${i}` }));
  const body = compressed(writeRequest1(seriesOf(1, ...series)));

  async function withReceiver(
    settings: Record<string, unknown>,
    use: (receiver: TestReceiver) => Promise<void>,
    requestTimeoutMs?: number,
  ): Promise<void> {
    const receiver = await openTestReceiver(settings, requestTimeoutMs);
    try {
      await use(receiver);
    } finally {
      await receiver.close();
    }
  }

  const tooMuch: Record<string, [Record<string, number>, Buffer, RegExp]> = {
    "a body longer than may be sent": [
      { request_bytes_max: 1_000 },
      Buffer.alloc(2_000_000),
      /request_bytes_max, 1000 bytes/,
    ],
    "a body longer than may be once decompressed": [
      { decompressed_bytes_max: 1_000 },
      body,
      /decompressed_bytes_max is 1000/,
    ],
    "a length of 4 GB, of which there is nothing": [
      {},
      Buffer.from("ffffffff0f00", "hex"),
      /4294967295 bytes/,
    ],
    "more series than may be": [{ series_max: 19 }, body, /series_max, 19/],
    "more samples than may be": [{ samples_max: 19 }, body, /samples_max, 19/],
  };
  for (const [what, [settings, sentBody, message]] of Object.entries(tooMuch)) {
    it(`${what}: 413, and nothing of it is written`, async () => {
      await withReceiver(settings, async ({ server, writtenSamples }) => {
        const sent = await sendBody(server.port, sentBody);
        assert.deepEqual([sent.status, ...writtenCounts(sent)], [413, "0", "0", "0"]);
        assert.match(sent.text, message);
        assert.deepEqual(writtenSamples, []);
      });
    });
  }

  it("a body that is longer than it may be, and says no length: 413 before it ends", async () => {
    await withReceiver({ request_bytes_max: 1_000 }, async ({ server }) => {
      const sent = await sendBody(server.port, Buffer.alloc(100_000), {
        headers: { "transfer-encoding": "chunked" },
      });
      assert.equal(sent.status, 413);
    });
  });

  it("more bodies at once than may be in memory: 429, until some of them end", async () => {
    await withReceiver({ request_bytes_max: 1_000 }, async ({ server }) => {
      const halves = Array.from({ length: 8 }, () => {
        const socket = connect(server.port, "127.0.0.1");
        socket.on("error", () => undefined);
        socket.write("POST /api/v1/write HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n");
        socket.write(Buffer.alloc(999));
        return socket;
      });
      const send = () => sendBody(server.port, body);
      const busy = await waitFor("the memory is full", send, ({ status }) => status === 429, 10_000, 1);
      assert.equal(busy.headers["retry-after"], "1");
      for (const socket of halves) socket.destroy();
      await waitFor("there is room again", send, ({ status }) => status === 204, 10_000, 1);
    });
  });

  it("a body that does not come: 408 after the time-out", async () => {
    await withReceiver(
      {},
      async ({ server, writtenSamples }) => {
        const answer = await new Promise<string>((resolve, reject) => {
          const socket = connect(server.port, "127.0.0.1", () => {
            socket.write("POST /api/v1/write HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nabc");
          });
          let text = "";
          socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
          socket.on("close", () => resolve(text));
          socket.on("error", reject);
        });
        assert.match(answer, /^HTTP\/1\.1 408 /);
        assert.deepEqual(writtenSamples, []);
      },
      200,
    );
  });

  it("a body that is cut off: counted, and the next one is taken", async () => {
    await withReceiver({}, async ({ server, metrics }) => {
      const socket = connect(server.port, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.write("POST /api/v1/write HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nabc", () =>
        socket.destroy(),
      );
      await waitFor(
        "the body that was cut off is counted",
        async () => totalOf(await metrics(), "millrace_poller_remote_write_refused_requests_total"),
        (total) => total === 1,
      );
      assert.equal((await sendBody(server.port, body)).status, 204);
    });
  });

  for (const [kafka, status, seconds] of [
    ["slow", 429, "1"],
    ["away", 503, "5"],
  ] as const) {
    it(`more than may wait while Kafka is ${kafka}: ${status} with Retry-After`, async () => {
      await withReceiver({ queue_samples_max: 30 }, async ({ server, queue, setKafka, writtenSamples }) => {
        setKafka(kafka);
        const first = sendBody(server.port, body);
        await waitFor("the first request waits", queue.size, (size) => size === 20);
        const refused = await sendBody(server.port, body);
        assert.deepEqual(
          [refused.status, refused.headers["retry-after"], writtenCounts(refused)[0]],
          [status, seconds, "0"],
        );
        setKafka("there");
        assert.equal((await first).status, 204);
        assert.equal(writtenSamples.length, 20);
      });
    });
  }

  it("what Kafka does not take in time: 503, and it is not written later", async () => {
    await withReceiver({ answer_timeout: "100ms" }, async ({ server, setKafka, queue, writtenSamples }) => {
      setKafka("away");
      const late = await sendBody(server.port, body);
      assert.deepEqual([late.status, late.headers["retry-after"], writtenCounts(late)[0]], [503, "5", "0"]);
      assert.equal(queue.size(), 0);
      setKafka("there");
      assert.equal((await sendBody(server.port, body)).status, 204);
      assert.equal(writtenSamples.length, 20);
    });
  });

  it("when it stops: what waits is written and answered, what comes then gets 503", async () => {
    await withReceiver({}, async ({ server, queue, setKafka, writtenSamples }) => {
      setKafka("away");
      const waiting = sendBody(server.port, body, { headers: { connection: "keep-alive" } });
      await waitFor("the request waits", queue.size, (size) => size === 20);
      // A connection from before, since no new ones are taken.
      const socket = connect(server.port, "127.0.0.1");
      await new Promise((resolve) => socket.once("connect", resolve));
      socket.write("POST /api/v1/write HTTP/1.1\r\nhost: x\r\n");
      await new Promise((resolve) => setImmediate(resolve));
      server.refuse();
      const answer = new Promise<string>((resolve) => {
        let text = "";
        socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
        socket.on("close", () => resolve(text));
      });
      socket.write("content-length: 0\r\n\r\n");
      assert.match(await answer, /^HTTP\/1\.1 503 [\s\S]+retry-after: 5/i);
      setKafka("there");
      assert.equal((await waiting).status, 204);
      assert.equal(writtenSamples.length, 20);
    });
  });
});

describe("credentials of the remote-write receiver", () => {
  let folder: string;
  let secret: string;
  const body = compressed(writeRequest1(seriesOf(1, target)));

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "millrace-credentials-"));
    secret = join(folder, "secret");
    writeFileSync(secret, "s3cret\n");
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function statuses(settings: Record<string, unknown>, headers: (string | undefined)[]) {
    const receiver = await openTestReceiver(settings);
    try {
      const answers: Sent[] = [];
      for (const authorization of headers)
        answers.push(await sendBody(receiver.server.port, body, { headers: { authorization } }));
      return answers;
    } finally {
      await receiver.close();
    }
  }

  it("takes the bearer token, and nothing else", async () => {
    const answers = await statuses({ bearer_token_file: secret }, [
      "Bearer s3cret",
      "bearer s3cret",
      "Bearer s3cre",
      "Bearer s3cretx",
      "Bearer ",
      "Basic s3cret",
      "s3cret",
      undefined,
    ]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [204, 204, 401, 401, 401, 401, 401, 401],
    );
    assert.match(String(answers[2].headers["www-authenticate"]), /^Bearer /);
    assert.ok(!answers.some(({ text }) => text.includes("s3cre")));
  });

  it("takes user and password, and nothing else", async () => {
    const basic = (pair: string) => `Basic ${Buffer.from(pair).toString("base64")}`;
    const answers = await statuses({ username: "prom", password_file: secret }, [
      basic("prom:s3cret"),
      basic("prom:other"),
      basic("other:s3cret"),
      basic("prom:s3cret:"),
      "Bearer s3cret",
      undefined,
    ]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [204, 401, 401, 401, 401, 401],
    );
    assert.match(String(answers[1].headers["www-authenticate"]), /^Basic /);
  });

  it("asks for the credentials before it says whether there is anything at a path", async () => {
    const receiver = await openTestReceiver({ bearer_token_file: secret });
    assert.equal((await sendBody(receiver.server.port, body, { path: "/x" })).status, 401);
    await receiver.close();
  });

  it("does not start without the secret", async () => {
    await assert.rejects(openTestReceiver({ bearer_token_file: join(folder, "none") }), {
      code: "CONFIG_UNREADABLE",
    });
  });

  it("does not start on a port that is taken", async () => {
    const receiver = await openTestReceiver();
    await assert.rejects(openTestReceiver({ port: receiver.server.port }), { code: "PORT_IN_USE" });
    await receiver.close();
  });
});

describe("TLS of the remote-write receiver", () => {
  const openssl = spawnSync("openssl", ["version"]).status === 0;

  it(
    "takes what comes by TLS, from senders whose certificate its authority signed",
    {
      skip: !openssl && "needs openssl, to make certificates",
    },
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "millrace-tls-"));
      const file = (name: string) => join(folder, name);
      const certificate = (name: string) => {
        const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
        const subject = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1"];
        const out = ["-keyout", file(`${name}-key.pem`), "-out", file(`${name}.pem`)];
        assert.equal(spawnSync("openssl", ["req", "-x509", ...kind, ...subject, ...out]).status, 0);
      };
      for (const name of ["receiver", "sender", "stranger"]) certificate(name);
      const { server, close } = await openTestReceiver({
        tls: {
          cert_file: file("receiver.pem"),
          key_file: file("receiver-key.pem"),
          client_ca_file: file("sender.pem"),
        },
      });
      const sendAs = (name: string | null) =>
        new Promise<number | null>((resolve) => {
          const own =
            name === null
              ? {}
              : { cert: readFileSync(file(`${name}.pem`)), key: readFileSync(file(`${name}-key.pem`)) };
          const ca = readFileSync(file("receiver.pem"));
          const { port } = server;
          const options = {
            host: "127.0.0.1",
            port,
            path: "/api/v1/write",
            method: "POST",
            agent: false,
            ca,
          };
          const outgoing = tlsRequest({ ...options, ...own }, (response) => {
            response.resume();
            resolve(response.statusCode!);
          });
          outgoing.on("error", () => resolve(null));
          outgoing.end(compressed(writeRequest1(seriesOf(1, target))));
        });
      try {
        assert.equal(await sendAs("sender"), 204);
        assert.equal(await sendAs("stranger"), null);
        assert.equal(await sendAs(null), null);
      } finally {
        await close();
        rmSync(folder, { recursive: true });
      }
    },
  );

  it("does not start without its certificate", async () => {
    const tls = { cert_file: "/nowhere/cert.pem", key_file: "/nowhere/key.pem" };
    await assert.rejects(openTestReceiver({ tls }), { code: "CONFIG_UNREADABLE" });
  });
});
