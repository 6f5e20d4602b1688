import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Identity } from "../../services/poller/admission.js";
import { createSeriesDirectory } from "../../services/poller/series-directory.js";
import { assignmentOf } from "../../services/poller/templates.js";
import { etlSchema } from "../../services/shared/config-schema.js";
import type { Labels, MetricType } from "../../services/shared/frame.js";

const { signal } = new AbortController();

const configWith = (late: object = {}, limits: object = {}) =>
  etlSchema.parse({
    entities: { target: ["job", "instance"], service: ["service"] },
    extract: {
      templates: {
        first: { entity: "service", selectors: ["first"] },
        second: { entity: "target", selectors: ["second"] },
        third: { entity: "target", selectors: ["third_a", "third_b"] },
      },
      jobs: { early: { templates: ["first"] }, late: { templates: ["second", "third"], ...late } },
      limits,
    },
  });

/** A directory over a Prometheus where each selector matches the label sets given. */
function fixture(job: string, matches: Record<string, Labels[]>, config = configWith()) {
  const world = {
    now: 0,
    asked: [] as string[][],
    window: { from: 0, to: 1_000 },
    type: "gauge" as MetricType,
    typesAsked: [] as string[],
    leftOut: {} as Record<string, number>,
    samplesLeftOut: 0,
    last: [] as (Identity | null)[],
  };
  const directory = createSeriesDirectory({
    client: {
      series: (selectors) => {
        world.asked.push([...selectors]);
        return Promise.resolve(selectors.flatMap((selector) => matches[selector] ?? []));
      },
    },
    types: {
      learn: () => Promise.resolve(),
      of: (metric) => {
        world.typesAsked.push(metric);
        return world.type;
      },
    },
    assignment: assignmentOf(job, config),
    now: () => world.now,
    onLeftOut: ({ series, samples }) => {
      world.leftOut = Object.fromEntries(Array.from(series, ([code, { count }]) => [code, count]));
      world.samplesLeftOut = samples;
    },
  });
  /** `samples` of each series, 1 without. */
  const identify = async (...found: [Labels, number, number?][]) => {
    world.last = await directory.identify(
      found.map(([labels, template, samples = 1]) => ({
        labels,
        template,
        timestamps: new Float64Array(samples),
      })),
      world.window,
      signal,
    );
    return world.last.map((one) => (one === null ? null : `${one.series.key} of ${one.entity.key}`));
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

it("a job of another source reads what an earlier job's selectors match, too", async () => {
  const config = etlSchema.parse({
    extract: {
      sources: { eu: { url: "http://eu:9090" } },
      jobs: {
        here: { templates: ["system"] },
        there: { templates: ["custom"], source: "eu" },
        alsoThere: { templates: ["system"], source: "eu" },
      },
    },
  });
  assert.deepEqual(
    assignmentOf("there", config).earlier.map(({ name }) => name),
    [],
  );
  assert.deepEqual(
    assignmentOf("alsoThere", config).earlier.map(({ name }) => name),
    ["custom"],
  );
  const { world, identify } = fixture("there", {}, config);
  assert.equal((await identify([own, 0])).filter((one) => one !== null).length, 1);
  assert.deepEqual(world.asked, []);
});

describe("relabelling", () => {
  const withRules = (...relabel: object[]) => fixture("late", {}, configWith({ relabel }));

  it("names series and entity by what the rules leave, and the type by the name in Prometheus", async () => {
    const { world, identify } = withRules(
      { source_labels: ["__name__"], regex: "(.*)", target_label: "__name__", replacement: "old_$1" },
      { source_labels: ["service"], target_label: "instance" },
      { regex: "service", action: "labeldrop" },
    );
    assert.deepEqual(await identify([own, 0]), ['old_load{instance="s",job="a"} of {instance="s",job="a"}']);
    assert.ok(world.typesAsked.every((metric) => metric === "load"));
    assert.equal(world.last[0]?.series.type, "gauge");
  });

  it("drops series, and tells of nothing", async () => {
    const { world, identify } = withRules({ source_labels: ["__name__"], regex: "up", action: "drop" });
    assert.deepEqual(await identify([shared, 0], [own, 0]), [
      null,
      'load{instance="i",job="a",service="s"} of {instance="i",job="a"}',
    ]);
    assert.deepEqual(world.leftOut, {});
  });

  it("is decided once for a series: later polls give the same object; a type that is learnt later is taken over", async () => {
    const { world, identify } = withRules({ regex: "service", action: "labeldrop" });
    world.type = "unknown";
    await identify([own, 0]);
    const [first] = world.last;
    await identify([own, 0]);
    assert.equal(world.last[0]?.series, first?.series);
    world.type = "counter";
    await identify([own, 0]);
    assert.equal(world.last[0]?.series.type, "counter");
    assert.equal(world.last[0].series.key, first?.series.key);
    assert.equal(world.asked.length, 1);
  });

  it("that leaves no name is told of", async () => {
    const { world, identify } = withRules({ target_label: "__name__", replacement: "" });
    assert.deepEqual(await identify([own, 0], [shared, 0]), [null, null]);
    assert.deepEqual(world.leftOut, { RELABEL_NO_NAME: 2 });
  });

  const pod = (name: string) => ({ ...own, pod: name });
  const podless = { regex: "pod", action: "labeldrop" };
  /** Which of the pods' series is read. */
  const read = async (identify: ReturnType<typeof fixture>["identify"], ...pods: string[]) => {
    const identified = await identify(...pods.map((name): [Labels, number] => [pod(name), 0]));
    return pods.filter((_, i) => identified[i] !== null);
  };

  it("that makes two series one keeps the first, told of, and not by the order of the answers", async () => {
    for (const order of [
      ["a", "b", "c"],
      ["c", "b", "a"],
    ]) {
      const { world, identify } = withRules(podless);
      assert.deepEqual(await read(identify, ...order), ["a"]);
      assert.deepEqual(world.leftOut, { RELABEL_SAME_SERIES: 2 });
    }
    const { identify } = withRules(podless);
    assert.deepEqual(await read(identify, "b"), ["b"]);
    assert.deepEqual(await read(identify, "a", "b"), ["b"], "who came first stays");
  });

  it("lets the next one in when the first has been silent for five minutes", async () => {
    const { world, identify } = withRules(podless);
    const at = async (minute: number, ...pods: string[]) => {
      world.window = { from: minute * 60_000 - 15_000, to: minute * 60_000 };
      return read(identify, ...pods);
    };
    assert.deepEqual(await at(0, "a", "b"), ["a"]);
    assert.deepEqual(await at(2, "a"), ["a"]);
    assert.deepEqual(await at(7, "c", "b"), []);
    assert.deepEqual(await at(7.1, "c", "b"), ["b"]);
    assert.deepEqual(world.leftOut, { RELABEL_SAME_SERIES: 2 });
    assert.deepEqual(await at(7.2, "a", "b", "c"), ["b"], "who comes back has lost its place");
  });

  it("forgets who is gone for good", async () => {
    const { world, identify } = withRules(podless);
    await read(identify, "a", "b");
    world.now += 700_000;
    await read(identify, "b");
    assert.deepEqual(world.leftOut, {});
    assert.deepEqual(await read(identify, "b"), ["b"]);
  });
});

describe("limits", () => {
  const withLimits = (limits: object, ...relabel: object[]) =>
    fixture("late", {}, configWith({ relabel }, limits));
  const numbered = (i: number) => ({ ...own, n: String(i) });
  const isRead = (identified: (string | null)[]) => identified.map((one) => one !== null);

  it("on series: the first are read, by key where they come together; the rest is told of, until there is room", async () => {
    const { world, identify } = withLimits({ series_max: 2 });
    assert.deepEqual(isRead(await identify([numbered(3), 0], [numbered(2), 0], [numbered(4), 0])), [
      true,
      true,
      false,
    ]);
    assert.deepEqual(isRead(await identify([numbered(1), 0], [numbered(3), 0])), [false, true]);
    assert.deepEqual(world.leftOut, { LIMIT_SERIES: 2 });
    world.now += 500_000;
    await identify([numbered(3), 0], [numbered(4), 0]);
    world.now += 200_000;
    // 2 and 1 were not seen for ten minutes; 4 has 2's place.
    await identify([numbered(3), 0]);
    assert.deepEqual(world.leftOut, { LIMIT_SERIES: 1 });
    assert.deepEqual(isRead(await identify([numbered(4), 0], [numbered(3), 0])), [true, true]);
    assert.deepEqual(world.leftOut, {});
    assert.deepEqual(isRead(await identify([numbered(1), 0])), [false]);
  });

  it("count no series that the rules drop, that another template owns, or that another limit keeps out", async () => {
    const { world, identify } = fixture(
      "late",
      { first: [shared] },
      configWith(
        { relabel: [{ source_labels: ["n"], regex: "1|2", action: "drop" }] },
        { series_max: 1, labels_max: 5 },
      ),
    );
    const wide = { ...own, more: "x", n: "3" };
    assert.deepEqual(
      isRead(await identify([numbered(1), 0], [numbered(2), 0], [shared, 0], [wide, 0], [numbered(9), 0])),
      [false, false, false, false, true],
    );
    assert.deepEqual(world.leftOut, { LIMIT_LABELS: 1 });
  });

  it("on labels, names and values hold for what the rules leave", async () => {
    const cases: [object, Labels, string][] = [
      [{ labels_max: 4 }, { ...own, n: "1" }, "LIMIT_LABELS"],
      [{ label_name_bytes_max: 8 }, { ...own, größere: "1" }, "LIMIT_LABEL_NAME"],
      [{ label_value_bytes_max: 8 }, { ...own, n: "größere" }, "LIMIT_LABEL_VALUE"],
      [{ label_value_bytes_max: 3 }, { ...own, __name__: "load" }, "LIMIT_LABEL_VALUE"],
    ];
    for (const [limits, labels, code] of cases) {
      const over = withLimits(limits);
      assert.deepEqual(await over.identify([labels, 0]), [null]);
      assert.deepEqual(over.world.leftOut, { [code]: 1 });
      const saved = withLimits(
        limits,
        { regex: "n|größere", action: "labeldrop" },
        { target_label: "__name__", replacement: "l" },
      );
      assert.deepEqual(isRead(await saved.identify([labels, 0])), [true]);
      assert.deepEqual(saved.world.leftOut, {});
    }
  });

  it("are bytes of UTF-8, and what is just as long passes", async () => {
    const limits = { label_name_bytes_max: 9, label_value_bytes_max: 9 };
    const { world, identify } = withLimits(limits);
    assert.deepEqual(isRead(await identify([{ ...own, größere: "größere" }, 0])), [true]);
    assert.deepEqual(world.leftOut, {});
  });

  it("on samples shorten a window, down to a second; then whole series are left out, by key", async () => {
    const { world, identify } = withLimits({ samples_max: 10 });
    const poll = () => identify([numbered(3), 0, 4], [numbered(1), 0, 5], [numbered(2), 0, 5]);
    world.window = { from: 0, to: 1_001 };
    await assert.rejects(poll, { code: "PROM_WINDOW_TOO_LARGE" });
    world.window = { from: 0, to: 1_000 };
    assert.deepEqual(isRead(await poll()), [false, true, true]);
    assert.equal(world.samplesLeftOut, 4);
    assert.deepEqual(isRead(await identify([numbered(3), 0, 5], [numbered(1), 0, 5])), [true, true]);
    assert.equal(world.samplesLeftOut, 0);
  });

  it("whatever comes in whatever order: no more series than the limit, each one's fate its own until it is forgotten", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uniqueArray(fc.nat(9), { maxLength: 6 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 6 }),
        async (polls, most) => {
          const { identify } = withLimits({ series_max: most }, { regex: "m", action: "labeldrop" });
          const holders = new Map<string, string>();
          const fates = new Map<string, boolean>();
          for (const poll of polls) {
            // Pairs of series become one.
            const found = poll.map((i): [Labels, number] => [
              { ...own, n: String(i >> 1), m: String(i & 1) },
              0,
            ]);
            const identified = await identify(...found);
            found.forEach(([labels], i) => {
              const name = `${labels["n"]} ${labels["m"]}`;
              const isKept = identified[i] !== null;
              assert.equal(fates.get(name) ?? isKept, isKept);
              fates.set(name, isKept);
              if (isKept) assert.equal(holders.get(labels["n"]) ?? name, name);
              if (isKept) holders.set(labels["n"], name);
            });
          }
          assert.ok(holders.size <= most);
        },
      ),
      { seed: 1 },
    );
  });
});
