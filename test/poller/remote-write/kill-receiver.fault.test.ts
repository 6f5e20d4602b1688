import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "node:test";
import { totalOf } from "../../../services/cli/metrics-text.js";
import { randomStream, uniform } from "../../../services/kernels/random.js";
import { createRawReader } from "../../../services/shared/frame-codec.js";
import { createKafka, withAdmin } from "../../../services/shared/kafka.js";
import { createLogger } from "../../../services/shared/telemetry.js";
import { storedSamples } from "../../flow/prometheus-answers.js";
import {
  type Flow,
  type RunningService,
  alarms,
  metricsOf,
  openFlow,
  runnersServers,
  untilReady,
} from "../../flow/running-services.js";
import { type Samples, addSample, assertSameSamples, countSamples } from "../../flow/samples.js";
import { endOf, readFrames } from "../../flow/topic-frames.js";
import { waitFor } from "../../flow/wait-for.js";
import { findPrometheus3 } from "../../oracle/prometheus.js";
import { freePorts } from "../../stack/servers-for-tests.js";
import { type WritingPrometheus, portForPrometheus, startWritingPrometheus } from "./writing-prometheus.js";

const SEED = 20261125;
const KILLS = 4;
const ENOUGH = 10_000;
const EVERYTHING = '{__name__=~".+"}';

const debian = resolve(".millrace/servers/prometheus/prometheus");
const prometheus3 = findPrometheus3();
const senders = [
  ...(prometheus3 === null
    ? []
    : [
        { name: "Prometheus 3 by 1.0", program: prometheus3, message: "prometheus.WriteRequest" as const },
        {
          name: "Prometheus 3 by 2.0",
          program: prometheus3,
          message: "io.prometheus.write.v2.Request" as const,
        },
      ]),
  // The stack's, Debian's 2.42 where there is one.
  { name: "the stack's Prometheus by 1.0", program: debian, message: null },
];

it("has a Prometheus 3 to be tested with", { skip: prometheus3 === null && "needs Go, to build one" }, () => {
  assert.equal(senders.length, 3);
});

for (const { name, program, message } of senders) {
  describe(`kill -9 of the receiver of ${name}`, () => {
    let folder: string;
    let flow: Flow;
    let receiver: RunningService;
    let prometheus: WritingPrometheus;
    let sent: Samples;
    let stored: Samples;
    const types = new Map<string, Set<string>>();

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), "millrace-receiver-"));
      const tokenFile = join(folder, "token");
      writeFileSync(tokenFile, "a-token-of-the-test\n");
      chmodSync(tokenFile, 0o600);
      const port = await portForPrometheus();
      const [receiverPort] = await freePorts(1);
      flow = await openFlow({
        extract: {
          prometheus: { url: `http://127.0.0.1:${port}` },
          templates: { node: { entity: "core", selectors: ['{job="node",cpu!=""}'] } },
          jobs: {},
          remote_write: {
            enabled: true,
            port: receiverPort,
            entity: "part",
            templates: ["node"],
            bearer_token_file: tokenFile,
            answer_timeout: "4s",
          },
        },
        // Some tens of entities, so that every partition has some.
        entities: { part: ["job", "device", "handler"], core: ["job", "cpu"] },
      });
      receiver = flow.start("poller");
      await untilReady(flow, ["poller"]);
      const nodeExporter = `127.0.0.1:${runnersServers().stack.node_exporter_port}`;
      const target = { name: "receiver", port: receiverPort, message, tokenFile };
      prometheus = await startWritingPrometheus(program, port, nodeExporter, [target]);
      await killAgainAndAgain();
      await waitFor(
        "Prometheus has scraped enough",
        async () => countSamples(await read(Date.now())),
        (count) => count > ENOUGH,
      );
      const range = { from: 0, to: Date.now() };
      // What was scraped by then is soon stored.
      stored = await waitFor(
        "Prometheus has scraped beyond the range",
        async () => ({ later: await newestAfter(range.to), samples: await read(range.to) }),
        ({ later }) => later,
      ).then(({ samples }) => samples);
      sent = await waitFor(
        "all of it is in metrics.raw",
        () => readRaw(range.to),
        (seen) => countSamples(seen) >= countSamples(stored),
        30_000,
        1_000,
      );
    });
    after(async () => {
      await prometheus.close();
      await flow.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const read = (to: number) => storedSamples(flow.config, EVERYTHING, { from: to - 600_000, to });

    async function newestAfter(to: number): Promise<boolean> {
      const newer = await storedSamples(flow.config, "up", { from: to, to: to + 60_000 });
      return newer.size === 2;
    }

    async function killAgainAndAgain(): Promise<void> {
      const random = randomStream(SEED, name, 0);
      for (let kill = 0; kill < KILLS; kill++) {
        await waitFor(
          "the receiver works",
          async () => totalOf(await metricsOf(flow, "poller"), "millrace_poller_samples_total") ?? 0,
          (total) => total > 0,
        );
        await untilItWrites();
        // From the first record of a transaction to some time after its commit.
        await new Promise((later) => setTimeout(later, uniform(random, 0, 25)));
        const before = await retried();
        await receiver.kill();
        await waitFor("Prometheus tries in vain", retried, (total) => total > before);
        receiver = flow.start("poller");
      }
      await untilReady(flow, ["poller"]);
    }

    const retried = async () =>
      totalOf(await prometheus.metrics(), "prometheus_remote_storage_samples_retried_total") ?? 0;

    /** Waits for the moment when most can go wrong: something is written, and may not be committed yet. */
    async function untilItWrites(): Promise<void> {
      await withAdmin(
        createKafka(flow.config, "test", createLogger("test", "silent")),
        async (admin) => {
          const look = () => endOf(admin, flow.config, ["raw"]);
          const end = await look();
          await waitFor("the receiver writes", look, (seen) => seen > end, 60_000, 1);
        },
        { readUncommitted: true },
      );
    }

    async function readRaw(to: number): Promise<Samples> {
      const samples: Samples = new Map();
      await readFrames(flow.config, "raw", createRawReader, (frame) => {
        assert.equal(frame.origin, "remote_write");
        assert.equal(frame.source, "remote_write");
        frame.series.forEach(({ key, metric, type }, i) => {
          types.set(metric, (types.get(metric) ?? new Set()).add(type));
          if (frame.timestamp > to) return;
          // Prometheus's answers leave stale markers out.
          if (frame.stale[i] === 0) addSample(samples, key, frame.timestamp, frame.values[i]);
        });
      });
      return samples;
    }

    it("leaves in metrics.raw exactly what Prometheus holds, bit for bit, none doubled", () => {
      assert.ok(countSamples(stored) > ENOUGH, `only ${countSamples(stored)} samples`);
      assertSameSamples(sent, stored);
    });

    it("keeps the types that Prometheus tells", () => {
      // Metadata may come after the first samples.
      const typesOf = (metric: string) => [...(types.get(metric) ?? [])].filter((type) => type !== "unknown");
      assert.deepEqual(typesOf("prometheus_http_requests_total"), ["counter"]);
      assert.deepEqual(typesOf("prometheus_http_request_duration_seconds_bucket"), ["counter"]);
      assert.deepEqual(typesOf("go_gc_duration_seconds_count"), ["counter"]);
      assert.deepEqual(typesOf("go_gc_duration_seconds"), ["summary"]);
      assert.deepEqual(typesOf("go_goroutines"), ["gauge"]);
    });

    it("is nothing that the receiver complains about afterwards", async () => {
      const { exitCode, tookMs } = await receiver.stop();
      assert.equal(exitCode, 0);
      assert.ok(tookMs < 10_000, `${tookMs} ms`);
      assert.deepEqual(alarms(receiver.log), []);
    });
  });
}
