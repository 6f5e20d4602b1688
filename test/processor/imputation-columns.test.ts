import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type ColumnsOf,
  anySeries,
  sameLabels,
  selectedSeries,
} from "../../services/processor/imputation-columns.js";
import { internSeries } from "../../services/shared/series.js";

const series = (metric: string, labels: Record<string, string>, isCounter = false) => ({
  series: internSeries(metric, labels, "unknown"),
  isCounter,
});
const chosenBy = (columnsOf: ColumnsOf, present: Parameters<ColumnsOf>[1]) =>
  present.map((_, own) => columnsOf(own, present));

describe("the columns of a table that gaps are filled in", () => {
  it("are all series, in as few runs of equal length as there may be", () => {
    const ten = Array.from({ length: 10 }, (_, i) => series(`metric_${i}`, {}));
    for (const [max, lengths] of [
      [16, [10]],
      [10, [10]],
      [9, [5, 5]],
      [4, [3, 3, 4]],
      [2, [2, 2, 2, 2, 2]],
    ] as const) {
      const chosen = chosenBy(anySeries(max), ten).map((columns) => columns!);
      chosen.forEach((columns, own) => assert.ok(columns.includes(own)));
      const runs = [...new Map(chosen.map((columns) => [columns[0], columns])).values()];
      assert.deepEqual(
        runs.map((columns) => columns.length),
        lengths,
      );
      assert.deepEqual(
        runs.flat(),
        ten.map((_, i) => i),
      );
    }
  });

  it("are the series of a metric that share labels, and are of one kind", () => {
    const present = [
      series("cpu", { core: "0", mode: "idle" }),
      series("cpu", { core: "0", mode: "user" }),
      series("cpu", { core: "1", mode: "idle" }),
      series("cpu", { mode: "idle" }, true),
      series("load", { core: "0", mode: "idle" }),
    ];
    assert.deepEqual(chosenBy(sameLabels(["mode"], 8), present), [[0, 2], [1], [0, 2], [3], [4]]);
    assert.deepEqual(chosenBy(sameLabels(["mode", "core"], 8), present), [[0], [1], [2], [3], [4]]);
    assert.deepEqual(chosenBy(sameLabels([], 8), present), [[0, 1, 2], [0, 1, 2], [0, 1, 2], [3], [4]]);
    assert.deepEqual(chosenBy(sameLabels([], 2), present), [[0], [1, 2], [1, 2], [3], [4]]);
  });

  it("are the gap's own series where a selector selects it, and else the first that it selects", () => {
    const present = [
      series("cpu", { core: "0" }),
      series("cpu", { core: "1" }),
      series("load", {}),
      series("other", {}),
    ];
    const columnsOf = selectedSeries(["load", "cpu", 'cpu{core="1"}', "none"]);
    assert.deepEqual(chosenBy(columnsOf, present), [[2, 0, 1, -1], [2, 1, -1, -1], [2, 0, 1, -1], null]);
  });
});
