import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createSeriesDirectory } from "../../services/poller/series-directory.js";
import { assignmentOf } from "../../services/poller/templates.js";
import { etlSchema } from "../../services/shared/config-schema.js";
import type { Labels } from "../../services/shared/frame.js";

const window = { from: 0, to: 1_000 };
const { signal } = new AbortController();

const config = etlSchema.parse({
  entities: { target: ["job", "instance"], service: ["service"] },
  extract: {
    templates: {
      first: { entity: "service", selectors: ["first"] },
      second: { entity: "target", selectors: ["second"] },
      third: { entity: "target", selectors: ["third_a", "third_b"] },
    },
    jobs: { early: { templates: ["first"] }, late: { templates: ["second", "third"] } },
  },
});

/** A directory over a Prometheus where each selector matches the label sets given. */
function fixture(job: string, matches: Record<string, Labels[]>) {
  const world = { now: 0, asked: [] as string[][] };
  const directory = createSeriesDirectory({
    client: {
      series: (selectors) => {
        world.asked.push([...selectors]);
        return Promise.resolve(selectors.flatMap((selector) => matches[selector] ?? []));
      },
    },
    types: { learn: () => Promise.resolve(), of: () => "gauge" },
    assignment: assignmentOf(job, config),
    now: () => world.now,
  });
  const identify = async (...found: [Labels, number][]) => {
    const list = await directory.identify(
      found.map(([labels, template]) => ({ labels, template })),
      window,
      signal,
    );
    return list.map((one) => (one === null ? null : `${one.series.key} of ${one.entity.key}`));
  };
  return { world, identify };
}

const shared = { __name__: "up", job: "a", instance: "i", service: "s" };
const own = { __name__: "load", job: "a", instance: "i", service: "s" };

describe("createSeriesDirectory", () => {
  it("names series and entity; the first template needs no question", async () => {
    const { world, identify } = fixture("early", {});
    assert.deepEqual(await identify([own, 0]), ['load{instance="i",job="a",service="s"} of {service="s"}']);
    assert.deepEqual(world.asked, []);
  });

  it("gives a series to the first template that matches it, even if only a later one's answer shows it", async () => {
    const { identify } = fixture("late", { second: [shared] });
    assert.deepEqual(await identify([shared, 1], [own, 1]), [
      null,
      'load{instance="i",job="a",service="s"} of {instance="i",job="a"}',
    ]);
    assert.equal(
      (await identify([shared, 0]))[0],
      'up{instance="i",job="a",service="s"} of {instance="i",job="a"}',
    );
  });

  it("leaves the series of earlier jobs to them", async () => {
    const { world, identify } = fixture("late", { first: [shared] });
    assert.deepEqual(await identify([shared, 0], [shared, 1]), [null, null]);
    assert.deepEqual(world.asked, [["first"], ["second"]]);
  });

  it("asks once for a series, and again only after it was away for long", async () => {
    const { world, identify } = fixture("late", {});
    for (let i = 0; i < 5; i++) {
      await identify([own, 1]);
      world.now += 100_000;
    }
    assert.equal(world.asked.length, 2);
    world.now += 700_000;
    await identify();
    await identify([own, 1]);
    assert.equal(world.asked.length, 4);
  });
});
