/** The name of the Prometheus in frames, watermarks and requests; the configuration has one yet. */
export const SOURCE = "prometheus";
