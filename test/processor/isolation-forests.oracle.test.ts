import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { normal, randomStream } from "../../services/kernels/random.js";
import { featurePlan } from "../../services/processor/feature-plan.js";
import { parseConfig } from "../../services/shared/config.js";
import { type RawFrame, flagBits } from "../../services/shared/frame.js";
import { internEntity, internSeries } from "../../services/shared/series.js";
import { type Python, openPython } from "../oracle/python.js";
import { fold, run } from "./emitted-rows.js";
import { rowKey } from "./naive-features.js";

const page = readFileSync("docs/fitted-elsewhere.md", "utf8");

/** The block of the documentation after a mark. */
function blockAfter(mark: string): string {
  const found = new RegExp(`<!-- ${mark} -->\n+\`\`\`\\w+\n(.*?)\`\`\``, "s").exec(page);
  assert.ok(found !== null, mark);
  return found[1];
}

const START_MS = 1_760_000_000_000;
const entity = internEntity({ job: "api" });
const gauge = internSeries("http_latency_seconds", {}, "gauge");
const other = internSeries("other", {}, "gauge");

function frames(values: Float64Array): RawFrame[] {
  return [...values].map((value, i) => ({
    entity,
    timestamp: START_MS + 1000 * i,
    origin: "live",
    source: "test",
    ingestedAt: START_MS + 1000 * i,
    series: [gauge, other],
    values: Float64Array.of(value, value),
    stale: new Uint8Array(2),
  }));
}

describe("an isolation forest of scikit-learn in the stream", () => {
  let python: Python;
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "millrace-forest-"));
    python = openPython("test/processor/isolation-forests.oracle.py");
  });
  after(async () => {
    await python.close();
    rmSync(folder, { recursive: true });
  });

  it("is written by what the documentation shows", () => {
    assert.equal(
      blockAfter("test/oracle/export_forest.py"),
      readFileSync("test/oracle/export_forest.py", "utf8"),
    );
  });

  it("gives the verdicts that it gives there", async () => {
    const random = randomStream(1, "latency", 0);
    const made = (count: number, spread: number) =>
      Float64Array.from({ length: count }, () => 0.2 + 0.05 * spread * normal(random));
    const [values, judged] = [made(2000, 1), made(1000, 2)];
    judged.set([0, -1, 1e30, 0.2, 5e-324], 500);
    const [scores, verdicts] = await python.call<[Float64Array, Float64Array]>(
      "run_example",
      blockAfter("example"),
      folder,
      values,
      judged,
    );

    const yaml = blockAfter("configuration").replace(
      "latency.forest.json",
      join(folder, "latency.forest.json"),
    );
    const plan = featurePlan(parseConfig(yaml, "page.yaml"));
    const rows = fold((await run(frames(judged), { plan, batches: [40] })).emitted);
    const rowsOf = (key: string) =>
      [...judged.keys()].map((i) => rows.get(rowKey(entity.key, key, START_MS + 1000 * i))!);
    const column = plan.columns.indexOf("iforest_score");
    const found = rowsOf(gauge.key);
    found.forEach(({ features }, i) => {
      const difference = Math.abs(features[column] - scores[i]);
      assert.ok(difference <= 1e-15 * scores[i], `${judged[i]} scores ${features[column]}, not ${scores[i]}`);
    });
    const outliers = found.map(({ flags }) => Number((flags & flagBits.outlier) !== 0));
    assert.deepEqual(outliers, [...verdicts]);
    const count = verdicts.reduce((sum, verdict) => sum + verdict, 0);
    assert.ok(count > 50 && count < 950, `${count} outliers`);
    // A series that no entry matches has its own.
    assert.notDeepEqual(
      rowsOf(other.key).map(({ features }) => features[column]),
      found.map(({ features }) => features[column]),
    );
  });
});
