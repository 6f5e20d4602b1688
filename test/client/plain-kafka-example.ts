import confluent from "@kafkajs/confluent-schema-registry";
import { Kafka } from "kafkajs";

const { KAFKA = "127.0.0.1:9092", REGISTRY = "http://127.0.0.1:8081/apis/ccompat/v7" } = process.env;
const registry = new confluent.SchemaRegistry({ host: REGISTRY });
const consumer = new Kafka({ brokers: [KAFKA] }).consumer({ groupId: "plain" });

await consumer.connect();
await consumer.subscribe({ topic: "metrics.features", fromBeginning: true });
await consumer.run({
  eachMessage: async ({ message }) => {
    console.log(JSON.stringify(await registry.decode(message.value!)));
  },
});
