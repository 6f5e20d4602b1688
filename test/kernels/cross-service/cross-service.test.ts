import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { betweenness } from "../../../services/kernels/cross-service/betweenness.js";
import {
  correlation,
  correlations,
  openCorrelationState,
  pairsOf,
} from "../../../services/kernels/cross-service/correlation.js";
import {
  degreeCentrality,
  weightedDegrees,
} from "../../../services/kernels/cross-service/degree-centrality.js";
import { graphOf } from "../../../services/kernels/cross-service/graph.js";
import { pageRank } from "../../../services/kernels/cross-service/page-rank.js";
import { anyArray, finiteArray } from "../arbitrary-values.js";
import { bitText } from "../exact-arithmetic.js";

const of = (x: number[], y: number[], minimum = 2) =>
  correlation(Float64Array.from(x), Float64Array.from(y), 0, x.length, minimum);

describe("correlation", () => {
  it("is ±1 on a line, 0 where nothing goes together, NaN without variance or enough pairs", () => {
    assert.equal(of([1, 2, 3], [10, 20, 30]), 1);
    assert.equal(of([1, 2, 3], [3, 2, 1]), -1);
    assert.equal(of([1, 2, 1, 2], [1, 1, 2, 2]), 0);
    assert.equal(of([1, 2, 3], [0.1, 0.1, 0.1]), NaN);
    assert.equal(of([1, NaN, 3, 5], [2, 9, Infinity, 4]), 1);
    assert.equal(of([1, NaN, 3, 5], [2, 9, Infinity, 4], 3), NaN);
    assert.equal(of([1], [1], 1), NaN);
    assert.equal(of([], []), NaN);
  });

  it("does not lose what is small on a high level, or too large to square", () => {
    const x = [0, 1, 4, 2, 3, 7];
    const y = [1, 0, 2, 5, 3, 6];
    const expected = of(x, y);
    for (const [level, unit] of [
      [1e15, 1],
      [0, 2 ** 1000],
      [0, 2 ** -1070],
    ]) {
      const moved = of(
        x.map((value) => level + value * unit),
        y,
      );
      assert.ok(Math.abs(moved - expected) < 1e-14, `${moved}`);
    }
  });

  it("depends on the window's pairs only, whichever side is which, changes no input, stays within ±1", () => {
    fc.assert(
      fc.property(anyArray, anyArray, anyArray, (before, a, b) => {
        const length = Math.min(a.length, b.length);
        const x = Float64Array.from([...before, ...a.slice(0, length)]);
        const y = Float64Array.from([...before, ...b.slice(0, length)]);
        const unchanged = [bitText(x), bitText(y)];
        const first = before.length;
        const within = correlation(x, y, first, first + length, 2);
        const isPair = (_: number, i: number) => Number.isFinite(a[i]) && Number.isFinite(b[i]);
        const alone = of(a.slice(0, length).filter(isPair), b.slice(0, length).filter(isPair));
        assert.equal(bitText([within]), bitText([alone]));
        assert.equal(bitText([within]), bitText([correlation(y, x, first, first + length, 2)]));
        assert.ok(Number.isNaN(within) || Math.abs(within) <= 1);
        assert.deepEqual([bitText(x), bitText(y)], unchanged);
      }),
      { seed: 1, numRuns: 1_000 },
    );
  });

  it("of a column with itself is 1", () => {
    fc.assert(
      fc.property(finiteArray, (values) => {
        const own = of(values, values);
        assert.ok(Number.isNaN(own) || Math.abs(own - 1) < 1e-15, `${own}`);
      }),
      { seed: 2, numRuns: 1_000 },
    );
  });

  it("of all pairs is that of each, to the bit, whatever the state was used for", () => {
    const used = openCorrelationState();
    fc.assert(
      fc.property(
        fc.array(finiteArray, { maxLength: 4 }),
        anyArray,
        fc.nat({ max: 20 }),
        (whole, raw, start) => {
          const length = Math.min(raw.length, ...whole.map((values) => values.length));
          const columns = [...whole, raw].map((values) => Float64Array.from(values.slice(0, length)));
          const unchanged = columns.map(bitText).join();
          const first = Math.min(start, length);
          const out = new Float64Array(pairsOf(columns.length) + 2).fill(-7);
          correlations(used, columns, first, length, 3, out, 1);
          const each = columns.flatMap((x, a) =>
            columns.slice(a + 1).map((y) => correlation(x, y, first, length, 3)),
          );
          assert.equal(bitText(out), bitText([-7, ...each, -7]));
          assert.equal(columns.map(bitText).join(), unchanged);
        },
      ),
      { seed: 3, numRuns: 1_000 },
    );
  });
});

describe("graph measures", () => {
  // gateway → orders → payments, gateway → users, both → database.
  const sources = [0, 0, 1, 1, 2, 3];
  const targets = [1, 3, 2, 4, 4, 4];
  const services = graphOf(6, sources, targets, [5, 5, 2, 2, 2, 5]);
  const column = () => new Float64Array(6);

  it("keep one edge of a pair, with the sum of the weights, and none without a weight", () => {
    const graph = graphOf(3, [1, 0, 1, 2, 2, 2, 2], [0, 2, 0, 0, 1, 1, 0], [1, 2, 3, 0, NaN, -1, Infinity]);
    assert.deepEqual([...graph.firstEdge], [0, 1, 2, 2]);
    assert.deepEqual([...graph.targets], [2, 0]);
    assert.deepEqual([...graph.weights], [2, 4]);
  });

  it("count edges and weights", () => {
    const [into, away] = [column(), column()];
    degreeCentrality(services, into, away);
    assert.deepEqual(
      [...into],
      [0, 1, 1, 1, 3, 0].map((edges) => edges * (1 / 5)),
    );
    assert.deepEqual(
      [...away],
      [2, 2, 1, 1, 0, 0].map((edges) => edges * (1 / 5)),
    );
    weightedDegrees(services, into, away);
    assert.deepEqual([...into], [0, 5, 2, 5, 9, 0]);
    assert.deepEqual([...away], [10, 4, 2, 5, 0, 0]);
  });

  it("find who is between: of the two ways from 0 to 4, each has half", () => {
    const between = column();
    betweenness(services, false, between);
    assert.deepEqual(
      [...between],
      [0, 1.5, 0, 0.5, 0, 0].map((paths) => paths / 20),
    );
    // By length, 0 → 1 → 4 is 7, and 0 → 3 → 4 is 10.
    betweenness(services, true, between);
    assert.deepEqual(
      [...between],
      [0, 2, 0, 0, 0, 0].map((paths) => paths / 20),
    );
  });

  it("rank what all depends on first, and the ranks add up to 1", () => {
    const rank = column();
    pageRank(services, rank);
    assert.equal(rank.indexOf(Math.max(...rank)), 4);
    assert.ok(Math.abs(rank.reduce((sum, value) => sum + value, 0) - 1) < 1e-12);
  });

  it("answer for no node and for one", () => {
    const one = new Float64Array(1);
    for (const nodes of [0, 1]) {
      const graph = graphOf(nodes, [], [], []);
      pageRank(graph, one.subarray(0, nodes));
      betweenness(graph, true, one.subarray(0, nodes));
      degreeCentrality(graph, one.subarray(0, nodes), new Float64Array(nodes));
    }
    assert.deepEqual([...one], [1]);
  });

  it("never throw, nor answer beyond 0 … 1, on any weights; and do not depend on the order of the edges", () => {
    const edge = fc.tuple(
      fc.nat({ max: 9 }),
      fc.nat({ max: 9 }),
      fc.oneof(fc.double(), fc.constantFrom(0.1, 0.2, 0.3, 5e-324, 1e-20, 1e300)),
    );
    fc.assert(
      fc.property(fc.uniqueArray(edge, { selector: ([a, b]) => a * 10 + b, maxLength: 40 }), (edges) => {
        const both = [edges, [...edges].reverse()].map((list) => {
          const given = (i: 0 | 1 | 2) => list.map((triple) => triple[i]);
          const graph = graphOf(10, given(0), given(1), given(2));
          const measures = [new Float64Array(10), new Float64Array(10), new Float64Array(10)];
          pageRank(graph, measures[0]);
          betweenness(graph, false, measures[1]);
          betweenness(graph, true, measures[2]);
          return measures;
        });
        assert.equal(both[0].map(bitText).join(), both[1].map(bitText).join());
        for (const measure of both[0])
          for (const value of measure) assert.ok(value >= 0 && value <= 1 + 1e-12, `${value}`);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
