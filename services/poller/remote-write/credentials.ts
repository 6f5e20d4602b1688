import { createHash, timingSafeEqual } from "node:crypto";
import type { Config } from "../../shared/config-schema.js";
import { readSecret } from "../../shared/config.js";

/**
 * Whether an Authorization header is the one that the configuration asks for; any is where it asks for none. What is
 * compared are digests, whole, so the time that it takes says nothing of the secret, its length included.
 * Throws CONFIG_UNREADABLE or CONFIG_INVALID where the secret's file is not as it should be.
 */
export function createAuthorization(
  settings: Config["extract"]["remote_write"],
): (authorization: string | undefined) => boolean {
  const expected = expectedCredentials(settings);
  if (expected === null) return () => true;
  const digest = sha256(expected.credentials);
  return (authorization = "") => {
    const [, scheme = "", credentials = ""] = /^(\S+) +(\S+)$/.exec(authorization) ?? [];
    // Both are looked at, whatever the first one says.
    const isScheme = scheme.toLowerCase() === expected.scheme;
    return timingSafeEqual(sha256(credentials), digest) && isScheme;
  };
}

/** The scheme that a sender is asked for; null where anybody may write. */
export function authorizationScheme(settings: Config["extract"]["remote_write"]): "Bearer" | "Basic" | null {
  if (settings.bearer_token_file !== undefined) return "Bearer";
  return settings.username === undefined ? null : "Basic";
}

function expectedCredentials({
  bearer_token_file,
  username,
  password_file,
}: Config["extract"]["remote_write"]): { scheme: string; credentials: string } | null {
  if (bearer_token_file !== undefined)
    return { scheme: "bearer", credentials: readSecret(bearer_token_file) };
  if (username === undefined || password_file === undefined) return null;
  const credentials = Buffer.from(`${username}:${readSecret(password_file)}`).toString("base64");
  return { scheme: "basic", credentials };
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
