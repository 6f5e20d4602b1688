import assert from "node:assert/strict";
import { it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { readAhead } from "../../../services/poller/backfill/read-ahead.js";

it("yields in order, with so many under way at a time", async () => {
  let underWay = 0;
  let most = 0;
  const tasks = Array.from({ length: 10 }, (_, i) => async () => {
    most = Math.max(most, ++underWay);
    // The later ones are done sooner.
    for (let turns = 0; turns < 10 - i; turns++) await turn();
    underWay--;
    return i;
  });
  const results: number[] = [];
  for await (const result of readAhead(tasks, 3)) results.push(result);
  assert.deepEqual(results, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.equal(most, 3);
});

it("tells of a failure in its turn", async () => {
  const results: number[] = [];
  const tasks = [
    () => turn(1),
    () => Promise.reject(new Error("second")),
    () => Promise.reject(new Error("third")),
  ];
  await assert.rejects(async () => {
    for await (const result of readAhead(tasks, 3)) results.push(result);
  }, /second/);
  assert.deepEqual(results, [1]);
});
