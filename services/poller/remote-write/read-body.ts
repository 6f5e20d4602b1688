import type { IncomingMessage } from "node:http";
import { RefusedRequest } from "./refusals.js";

/** What all bodies that are being read may take together, as a multiple of one body's limit. */
const BODIES_AT_ONCE = 8;

/** Reads the body of a request, no longer than may be. Rejects with RefusedRequest. */
export type ReadBody = (request: IncomingMessage) => Promise<Buffer>;

export function createReadBody(maxBytes: number): ReadBody {
  let buffered = 0;
  const tooLong = () =>
    new RefusedRequest(
      413,
      "body_too_long",
      `The body is longer than extract.remote_write.request_bytes_max, ${maxBytes} bytes.`,
    );

  return (request) =>
    new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const settle = (outcome: () => void) => {
        request.off("data", onData).off("end", onEnd).off("error", onCutOff).off("close", onCutOff);
        // A socket that breaks later is an error, too.
        request.on("error", () => undefined);
        buffered -= bytes;
        outcome();
      };
      const refuse = (error: RefusedRequest) =>
        settle(() => {
          // The rest is read and thrown away, or the sender, still writing, would not see the answer.
          request.resume();
          reject(error);
        });
      const onData = (chunk: Buffer) => {
        bytes += chunk.length;
        buffered += chunk.length;
        if (bytes > maxBytes) refuse(tooLong());
        else if (buffered > BODIES_AT_ONCE * maxBytes)
          refuse(new RefusedRequest(429, "busy", "Too much is being received at once."));
        else chunks.push(chunk);
      };
      const onEnd = () => settle(() => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
      const onCutOff = () =>
        settle(() => reject(new RefusedRequest(400, "body_cut_off", "The body was cut off.")));
      if (Number(request.headers["content-length"] ?? 0) > maxBytes) {
        request.resume();
        reject(tooLong());
        return;
      }
      request.on("data", onData).on("end", onEnd).on("error", onCutOff).on("close", onCutOff);
    });
}
