import type { IncomingHttpHeaders } from "node:http";
import { RefusedRequest } from "./refusals.js";

/** What a body holds: `prometheus.WriteRequest` of protocol 1.0, or `io.prometheus.write.v2.Request` of 2.0. */
export type Protocol = "1.0" | "2.0";

/**
 * The headers decide; what X-Prometheus-Remote-Write-Version says does not count. Senders of 1.0 may leave both headers
 * out, as Prometheus's own receiver allows. Throws RefusedRequest with 415.
 * Source: Remote-Write 2.0, "Content-Encoding" and "Content-Type"; RFC 9110, sections 8.3.1 and 8.4.1.
 */
export function protocolOf(headers: IncomingHttpHeaders): Protocol {
  const encoding = headers["content-encoding"]?.trim().toLowerCase() ?? "snappy";
  if (encoding !== "snappy") {
    throw new RefusedRequest(
      415,
      "content_encoding",
      `The Content-Encoding is ${JSON.stringify(encoding)}; only snappy is understood.`,
    );
  }
  const [mediaType, ...parameters] = (headers["content-type"] ?? "application/x-protobuf").split(";");
  const message = parameters.map(protoParameter).find((name) => name !== null) ?? "prometheus.WriteRequest";
  if (mediaType.trim().toLowerCase() === "application/x-protobuf") {
    if (message === "prometheus.WriteRequest") return "1.0";
    if (message === "io.prometheus.write.v2.Request") return "2.0";
  }
  throw new RefusedRequest(
    415,
    "content_type",
    `The Content-Type is ${JSON.stringify(headers["content-type"])}; understood are application/x-protobuf with ` +
      "proto=prometheus.WriteRequest, the default, and with proto=io.prometheus.write.v2.Request.",
  );
}

/** The value of `proto=x` or `proto="x"`; null for another parameter. */
function protoParameter(parameter: string): string | null {
  return /^\s*proto\s*=\s*("?)(.*?)\1\s*$/i.exec(parameter)?.[2] ?? null;
}
