import { createConnection } from "node:net";
import { PROBE_LIMIT_MS, isListening } from "./probe.js";
import type { Address, Probe } from "./server-definition.js";

const METADATA_KEY = 3;
/** Old enough for every broker since 0.11, and not yet removed in 4. */
const METADATA_VERSION = 4;
const CORRELATION_ID = 0x6d696c6c;

/**
 * Asks for metadata of no topic, by hand: a client library takes minutes to find out that something is no Kafka.
 * A broker that is not in its own answer is still starting.
 * Source: https://kafka.apache.org/protocol (Metadata request and response, version 4).
 */
export async function probeKafka(address: Address): Promise<Probe> {
  if (!(await isListening(address))) return "absent";
  return new Promise((resolve) => {
    const socket = createConnection({ ...address, timeout: PROBE_LIMIT_MS });
    const finish = (probe: Probe) => {
      clearTimeout(limit);
      socket.destroy();
      resolve(probe);
    };
    const limit = setTimeout(() => finish("other"), PROBE_LIMIT_MS);
    let received = Buffer.alloc(0);
    socket
      .once("connect", () => socket.write(metadataRequest()))
      .on("data", (chunk) => {
        received = Buffer.concat([received, chunk]);
        // Size, correlation id, throttle time, number of brokers.
        if (received.length < 16) return;
        const isKafka = received.readInt32BE(4) === CORRELATION_ID;
        if (!isKafka) finish("other");
        else finish(received.readInt32BE(12) > 0 ? "ready" : "starting");
      })
      .once("error", () => finish("other"))
      .once("close", () => finish("other"));
  });
}

function metadataRequest(): Buffer {
  const request = Buffer.alloc(4 + 2 + 2 + 4 + 2 + 4 + 1);
  let at = request.writeInt32BE(request.length - 4);
  at = request.writeInt16BE(METADATA_KEY, at);
  at = request.writeInt16BE(METADATA_VERSION, at);
  at = request.writeInt32BE(CORRELATION_ID, at);
  // No client id, no topics, and none to be created.
  at = request.writeInt16BE(-1, at);
  at = request.writeInt32BE(0, at);
  request.writeInt8(0, at);
  return request;
}
