import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { type TestContext, describe, it } from "node:test";
import {
  addressOfUrl,
  addressText,
  bindHost,
  isListening,
  isLoopback,
  jsonOf,
  probeHttp,
  wantsCredentials,
} from "../../services/stack/probe.js";
import { freePort } from "../cli/free-port.js";
import { localServers } from "./local-servers.js";

const host = "127.0.0.1";

describe("isListening", () => {
  it("is whether anything accepts connections", async (t) => {
    const servers = localServers(t);
    assert.equal(await isListening({ host, port: await servers.tcp(() => undefined) }), true);
    assert.equal(await isListening({ host, port: await servers.tcp((socket) => socket.destroy()) }), true);
    assert.equal(await isListening({ host, port: await freePort() }), false);
  });

  it("is false of what cannot be an address", async () => {
    assert.equal(await isListening({ host: "127.0.0.1.2.3:x", port: 80 }), false);
  });
});

describe("probeHttp", { concurrency: true }, () => {
  const seen = async (t: TestContext, answer: RequestListener) => {
    const port = await localServers(t).http(answer);
    let judged: unknown;
    const probe = await probeHttp(`http://${host}:${port}/ready`, { host, port }, (status, body) => {
      judged = [status, body];
      return "ready";
    });
    return { probe, judged };
  };

  it("has status and body judged, of errors too", async (t) => {
    for (const status of [200, 401, 404, 503]) {
      const { probe, judged } = await seen(t, (request, response) =>
        response.writeHead(status).end(`of ${request.url}`),
      );
      assert.deepEqual([probe, judged], ["ready", [status, "of /ready"]]);
    }
  });

  it("is absent where nothing listens", async () => {
    const port = await freePort();
    const probe = await probeHttp(`http://${host}:${port}`, { host, port }, () => assert.fail());
    assert.equal(probe, "absent");
  });

  it("follows no redirection", async (t) => {
    const { judged } = await seen(t, (_, response) =>
      response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
    );
    assert.deepEqual(judged, [302, ""]);
  });

  const others: Record<string, (socket: { write: (text: string) => void; destroy: () => void }) => void> = {
    "speaks another protocol": (socket) => socket.write("SSH-2.0-OpenSSH_9.2\r\n"),
    "closes at once": (socket) => socket.destroy(),
    "never answers": () => undefined,
    "never ends its answer": (socket) => socket.write("HTTP/1.1 200 OK\r\n\r\nand so on"),
  };
  for (const [what, talk] of Object.entries(others)) {
    it(`is other where what answers ${what}`, async (t) => {
      const port = await localServers(t).tcp(talk);
      const probe = await probeHttp(`http://${host}:${port}`, { host, port }, () => assert.fail());
      assert.equal(probe, "other");
    });
  }

  it("asks nothing of what is behind TLS", async (t) => {
    const port = await localServers(t).tcp(() => undefined);
    assert.equal(await probeHttp(`https://${host}:${port}`, { host, port }, () => assert.fail()), "ready");
    const free = await freePort();
    const probe = await probeHttp(`https://${host}:${free}`, { host, port: free }, () => assert.fail());
    assert.equal(probe, "absent");
  });
});

describe("addresses", () => {
  it("are read from URLs, with the ports that these leave out", () => {
    assert.deepEqual(addressOfUrl("http://localhost:9090/prometheus"), { host: "localhost", port: 9090 });
    assert.deepEqual(addressOfUrl("http://example.com"), { host: "example.com", port: 80 });
    assert.deepEqual(addressOfUrl("https://example.com/x"), { host: "example.com", port: 443 });
    assert.deepEqual(addressOfUrl("http://[::1]:8086"), { host: "::1", port: 8086 });
  });

  it("are written with brackets around IPv6", () => {
    assert.equal(addressText({ host: "::1", port: 8086 }), "[::1]:8086");
    assert.equal(addressText({ host: "127.0.0.1", port: 8086 }), "127.0.0.1:8086");
  });

  it("are of this machine where they are loopback's", () => {
    for (const own of ["localhost", "127.0.0.1", "127.1.2.3", "::1"]) assert.ok(isLoopback(own), own);
    for (const other of ["0.0.0.0", "10.0.0.1", "127.0.0.1.example.com", "localhost.example.com", "::", ""])
      assert.ok(!isLoopback(other), other);
  });

  it("are bound as one address", () => {
    assert.equal(bindHost("localhost"), "127.0.0.1");
    assert.equal(bindHost("::1"), "::1");
  });
});

describe("answers", () => {
  it("may be no JSON", () => {
    assert.deepEqual(jsonOf('{"status":"pass"}'), { status: "pass" });
    assert.equal(jsonOf("<html>"), undefined);
    assert.equal(jsonOf(""), undefined);
  });

  it("that want credentials are known by their status", () => {
    assert.deepEqual([200, 400, 401, 403, 404, 503].filter(wantsCredentials), [401, 403]);
  });
});
