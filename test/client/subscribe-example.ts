import { subscribe } from "millrace/client";

const { KAFKA = "127.0.0.1:9092", REGISTRY = "http://127.0.0.1:8081/apis/ccompat/v7" } = process.env;
const stopping = new AbortController();
process.once("SIGINT", () => stopping.abort());

const frames = subscribe({
  brokers: [KAFKA],
  registryUrl: REGISTRY,
  groupId: "capacity-model",
  fromBeginning: true,
  features: ["mean_5m", "p99_5m", "rate"],
  signal: stopping.signal,
});

for await (const { timestamp, retracted, rows } of frames) {
  if (retracted) continue;
  for (const { series, value, features } of rows) {
    console.log(new Date(timestamp).toISOString(), series, value, features.mean_5m, features.p99_5m);
  }
}
