/**
 * Names of sources in frames, watermarks and requests. That of `extract.prometheus`; others are those of `extract.sources`.
 */
export const DEFAULT_SOURCE = "prometheus";

/** That of what Prometheus sends by itself. */
export const PUSHED_SOURCE = "remote_write";
