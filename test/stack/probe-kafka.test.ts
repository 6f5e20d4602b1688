import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { type TestContext, describe, it } from "node:test";
import { probeKafka } from "../../services/stack/probe-kafka.js";
import { freePort } from "../cli/free-port.js";
import { localServers } from "./local-servers.js";

const host = "127.0.0.1";

describe("probeKafka", { concurrency: true }, () => {
  const probeOf = async (t: TestContext, talk: (socket: Socket) => void) =>
    probeKafka({ host, port: await localServers(t).tcp(talk) });
  /** Answers the first request as a broker does that knows so many brokers. */
  const broker =
    (brokers: number, correlationChange = 0, pieces = 1) =>
    (socket: Socket) =>
      socket.once("data", (request) => {
        const answer = Buffer.alloc(20);
        answer.writeInt32BE(16, 0);
        answer.writeInt32BE(request.readInt32BE(8) + correlationChange, 4);
        answer.writeInt32BE(brokers, 12);
        const size = answer.length / pieces;
        for (let i = 0; i < pieces; i++) socket.write(answer.subarray(i * size, (i + 1) * size));
      });

  it("asks for the metadata of no topic", async (t) => {
    const requests: Buffer[] = [];
    await probeOf(t, (socket) =>
      socket.once("data", (request) => {
        requests.push(request);
        socket.destroy();
      }),
    );
    // Length, Metadata, version 4, correlation id, no client id, no topics, none to be created.
    assert.equal(
      requests[0].toString("hex"),
      "0000000f" + "0003" + "0004" + "6d696c6c" + "ffff" + "00000000" + "00",
    );
  });

  it("is ready where a broker knows of itself, and starting until then", async (t) => {
    assert.equal(await probeOf(t, broker(1)), "ready");
    assert.equal(await probeOf(t, broker(3, 0, 20)), "ready");
    assert.equal(await probeOf(t, broker(0)), "starting");
  });

  it("is absent where nothing listens", async () => {
    assert.equal(await probeKafka({ host, port: await freePort() }), "absent");
  });

  const others: Record<string, (socket: Socket) => void> = {
    "answers another request": broker(1, 1),
    "speaks another protocol": (socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"),
    "closes at once": (socket) => socket.destroy(),
    "says too little": (socket) => socket.end("short"),
    "never answers": () => undefined,
  };
  for (const [what, talk] of Object.entries(others)) {
    it(`is other where what answers ${what}`, async (t) => {
      assert.equal(await probeOf(t, talk), "other");
    });
  }
});
