import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import {
  type CommitQueue,
  type Waiting,
  createCommitQueue,
} from "../../../services/poller/remote-write/commit-queue.js";
import type { PushedSamples } from "../../../services/poller/remote-write/decoded-request.js";

/** So many samples, of nothing in particular: the queue only counts them. */
function samples(count: number): PushedSamples {
  return {
    series: Array.from({ length: count }, () => undefined as never),
    timestamps: [],
    values: [],
    stale: [],
  };
}

const queues: CommitQueue[] = [];
const taken: Waiting[] = [];

/** A queue that remembers what was taken of it, to be settled after the test. */
function open(maxSamples = 10, answerWithinMs = 60_000): CommitQueue {
  const queue = createCommitQueue({ maxSamples, answerWithinMs });
  queues.push(queue);
  const take = async (limit: number) => {
    const requests = await queue.take(limit);
    taken.push(...requests);
    return requests;
  };
  return { ...queue, take };
}

afterEach(() => {
  for (const { settle } of taken.splice(0)) settle("stopped");
  for (const queue of queues.splice(0)) queue.clear();
});

const sizes = async (queue: CommitQueue, limit: number) =>
  (await queue.take(limit)).map((request) => request.samples.series.length);

describe("createCommitQueue", () => {
  it("gives what waits in order, as much as fits, one request at the least", async () => {
    const queue = open(100);
    const outcomes = [3, 4, 5, 50, 1].map((count) => queue.offer(samples(count)));
    assert.deepEqual(await sizes(queue, 7), [3, 4]);
    assert.deepEqual(await sizes(queue, 7), [5]);
    assert.deepEqual(await sizes(queue, 7), [50]);
    const rest = await queue.take(7);
    assert.equal(queue.size(), 63);
    for (const { settle } of rest) settle("written");
    assert.equal(queue.size(), 62);
    assert.equal(await outcomes[4], "written");
  });

  it("has room for a request alone, however large, and for no more than it may hold", async () => {
    const queue = open(10);
    void queue.offer(samples(11));
    assert.equal(await queue.offer(samples(1)), "full");
    const [first] = await queue.take(10);
    assert.equal(await queue.offer(samples(1)), "full");
    first.settle("written");
    void queue.offer(samples(1));
    assert.equal(queue.size(), 1);
  });

  it("waits for a request", async () => {
    const queue = open();
    const next = queue.take(10);
    void queue.offer(samples(2));
    assert.equal((await next).length, 1);
  });

  it("gives what was given back first, less what has an outcome by now", async () => {
    const queue = open(100);
    for (const count of [1, 2, 3]) void queue.offer(samples(count));
    const requests = await queue.take(3);
    assert.equal(requests.length, 2);
    requests[0].settle("overdue");
    queue.giveBack(requests);
    assert.deepEqual(await sizes(queue, 100), [2, 3]);
  });

  it("tells who waits too long, and does not give their samples any more", async () => {
    const queue = open(100, 1);
    assert.equal(await queue.offer(samples(2)), "overdue");
    assert.equal(queue.size(), 0);
    const next = queue.take(10);
    queue.close();
    assert.deepEqual(await next, []);
  });

  it("takes up no more once it is closed, gives what is left, and settles that when it is cleared", async () => {
    const queue = open();
    const first = queue.offer(samples(1));
    const second = queue.offer(samples(2));
    queue.close();
    assert.equal(await queue.offer(samples(1)), "stopped");
    const [begun] = await queue.take(1);
    queue.clear();
    assert.equal(await second, "stopped");
    begun.settle("written");
    assert.equal(await first, "written");
    assert.deepEqual(await queue.take(1), []);
  });
});
