import { uncompressSync } from "snappy";
import { RefusedRequest } from "./refusals.js";

/**
 * A body in snappy's block format, decompressed. It begins with its length, which is looked at before anything is made
 * that long. Throws RefusedRequest.
 * Source: google/snappy, format_description.txt.
 */
export function decompress(body: Buffer, maxBytes: number): Buffer {
  const length = declaredLength(body);
  if (length === null) throw new RefusedRequest(400, "snappy", "The body is not in snappy's block format.");
  if (length > maxBytes) {
    throw new RefusedRequest(
      413,
      "body_too_long",
      `The body is ${length} bytes long once it is decompressed; extract.remote_write.decompressed_bytes_max is ${maxBytes}.`,
    );
  }
  try {
    return uncompressSync(body) as Buffer;
  } catch (error) {
    throw new RefusedRequest(400, "snappy", `${error instanceof Error ? error.message : String(error)}.`);
  }
}

/** A varint of 32 bits at the most; null where there is none. */
function declaredLength(body: Buffer): number | null {
  let length = 0;
  for (let i = 0; i < 5 && i < body.length; i++) {
    length += (body[i] & 0x7f) * 2 ** (7 * i);
    if (body[i] < 0x80) return length < 2 ** 32 ? length : null;
  }
  return null;
}
