import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  actionRefusal,
  outlierActions,
  outlierMethods,
  treatedOutlier,
} from "../../services/kernels/outlier-action.js";

describe("outlier actions", () => {
  it("flag, remove, or clip to the nearer fence", () => {
    assert.equal(treatedOutlier("flag", 9, 1, 5), 9);
    assert.equal(treatedOutlier("remove", 9, 1, 5), NaN);
    assert.equal(treatedOutlier("clip", 9, 1, 5), 5);
    assert.equal(treatedOutlier("clip", -9, 1, 5), 1);
  });

  it("are possible with all methods, but clipping needs fences", () => {
    const refused = outlierMethods.flatMap((method) =>
      outlierActions
        .filter((action) => actionRefusal(method, action) !== null)
        .map((action) => [method, action]),
    );
    assert.deepEqual(refused, [["isolation_forest", "clip"]]);
  });
});
