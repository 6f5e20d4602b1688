import { createConnection } from "node:net";
import type { Address, Probe } from "./server-definition.js";

/** How long a server may take for the answer to a probe. */
export const PROBE_LIMIT_MS = 3_000;

/** Whether anything accepts connections there. Unreachable and unknown hosts are absent, too. */
export function isListening({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, timeout: PROBE_LIMIT_MS });
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket
      .once("connect", () => finish(true))
      .once("timeout", () => finish(false))
      .once("error", () => finish(false));
  });
}

/**
 * Asks over HTTP; `judge` sees status and body of whatever answers. Behind TLS is no server of ours: whether its
 * certificate is right is for the services to find out, which have the configured authorities.
 */
export async function probeHttp(
  url: string,
  address: Address,
  judge: (status: number, body: string) => Probe,
): Promise<Probe> {
  if (!(await isListening(address))) return "absent";
  if (url.startsWith("https:")) return "ready";
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_LIMIT_MS), redirect: "manual" });
    return judge(response.status, await response.text());
  } catch {
    return "other";
  }
}

/** The value that a JSON body holds, or undefined. */
export function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** A server that wants credentials is one that somebody runs: whether ours are right is for the services to find out. */
export function wantsCredentials(status: number): boolean {
  return status === 401 || status === 403;
}

export function addressOfUrl(text: string): Address {
  const { hostname, port, protocol } = new URL(text);
  // IPv6 addresses are in brackets in URLs only.
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return { host, port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port) };
}

/** `host:port`, with brackets around IPv6. */
export function addressText({ host, port }: Address): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** What a server binds to: a name may mean several addresses, and programs choose differently. */
export function bindHost(host: string): string {
  return host === "localhost" ? "127.0.0.1" : host;
}
