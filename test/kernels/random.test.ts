import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Random,
  logNormal,
  normal,
  poisson,
  randomStream,
  xoshiro128,
} from "../../services/kernels/random.js";

const draws = (count: number, draw: () => number) => Array.from({ length: count }, draw);
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const variance = (values: number[]) => {
  const centre = mean(values);
  return mean(values.map((value) => (value - centre) ** 2));
};

describe("xoshiro128", () => {
  it("gives the numbers of the reference implementation", () => {
    // The C program of prng.di.unimi.it, state 1, 2, 3, 4.
    const expected = [
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ];
    assert.deepEqual(draws(10, xoshiro128(Uint32Array.of(1, 2, 3, 4))), expected);
  });
});

describe("randomStream", () => {
  it("repeats itself for the same seed, name and index, and for no other", () => {
    const first = (random: Random) => draws(4, random).join();
    const streams: [number, string, number][] = [
      [1, "load", 7],
      [2, "load", 7],
      [1, "faults", 7],
      [1, "load", 8],
      [1, "load", 7 + 2 ** 32],
      [-1, "load", 7],
    ];
    for (const stream of streams)
      assert.equal(first(randomStream(...stream)), first(randomStream(...stream)));
    assert.equal(new Set(streams.map((stream) => first(randomStream(...stream)))).size, streams.length);
  });

  it("is uniform in [0, 1) along one stream and across the streams of successive seconds", () => {
    const along = randomStream(1, "a", 0);
    const samples = [
      draws(20_000, along),
      Array.from({ length: 20_000 }, (_, second) => randomStream(1, "a", 1_760_000_000 + second)()),
    ];
    for (const values of samples) {
      assert.ok(values.every((value) => value >= 0 && value < 1));
      assert.ok(Math.abs(mean(values) - 1 / 2) < 0.01, `mean ${mean(values)}`);
      assert.ok(Math.abs(variance(values) - 1 / 12) < 0.003, `variance ${variance(values)}`);
      for (let decile = 0; decile < 10; decile += 1) {
        const share = values.filter((value) => Math.floor(value * 10) === decile).length / values.length;
        assert.ok(Math.abs(share - 0.1) < 0.01, `decile ${decile}: ${share}`);
      }
    }
  });
});

describe("distributions", () => {
  for (const expected of [0, 0.3, 5, 16, 70]) {
    it(`poisson of mean ${expected} has that mean and variance`, () => {
      const random = randomStream(1, "poisson", expected);
      const values = draws(20_000, () => poisson(random, expected));
      const tolerance = 0.03 * expected;
      assert.ok(Math.abs(mean(values) - expected) <= tolerance, `mean ${mean(values)}`);
      assert.ok(Math.abs(variance(values) - expected) <= 2 * tolerance, `variance ${variance(values)}`);
    });
  }

  it("normal has mean 0 and variance 1; logNormal its median", () => {
    const random = randomStream(1, "normal", 0);
    const normals = draws(20_000, () => normal(random));
    assert.ok(Math.abs(mean(normals)) < 0.03);
    assert.ok(Math.abs(variance(normals) - 1) < 0.05);
    const below = draws(20_000, () => logNormal(random, 3, 0.5)).filter((value) => value < 3);
    assert.ok(Math.abs(below.length / 20_000 - 0.5) < 0.02);
  });
});
