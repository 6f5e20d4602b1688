/** The servers that Millrace can run on this machine. Names of folders, logs and pid files. */
export const serverNames = ["kafka", "registry", "influxdb", "prometheus", "node-exporter"] as const;
export type ServerName = (typeof serverNames)[number];

export const serverTitles: Readonly<Record<ServerName, string>> = {
  kafka: "Kafka",
  registry: "Apicurio Registry",
  influxdb: "InfluxDB",
  prometheus: "Prometheus",
  "node-exporter": "node exporter",
};
