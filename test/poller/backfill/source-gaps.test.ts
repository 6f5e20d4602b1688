import assert from "node:assert/strict";
import { it } from "node:test";
import { gapsOfSteps, upSelector } from "../../../services/poller/backfill/source-gaps.js";
import { bothSelectors } from "../../../services/shared/config-selector.js";
import { parseSelector } from "../../../services/shared/config-selector.js";

it("asks of up what a selector says of job and instance", () => {
  assert.equal(upSelector("node_load1"), "up{}");
  assert.equal(
    upSelector('node_cpu{job="node",cpu="0",instance=~"a:.+",mode!="idle"}'),
    'up{job="node",instance=~"a:.+"}',
  );
});

it("joins the conditions of two selectors, whatever is in their texts", () => {
  const both = bothSelectors('{__name__=~"node_.+",job="a\\\\b\\"c\\n"}', 'node_load1{instance!~"x|y"}');
  assert.equal(both, '{__name__=~"node_.+",job="a\\\\b\\"c\\n",__name__="node_load1",instance!~"x|y"}');
  assert.deepEqual(parseSelector(both), [
    { label: "__name__", operator: "=~", value: "node_.+" },
    { label: "job", operator: "=", value: 'a\\b"c\n' },
    { label: "__name__", operator: "=", value: "node_load1" },
    { label: "instance", operator: "!~", value: "x|y" },
  ]);
  assert.equal(bothSelectors('{"a.b"}', '{"c.d"="e"}'), '{__name__="a.b","c.d"="e"}');
});

it("makes one gap of steps that follow each other", () => {
  assert.deepEqual(gapsOfSteps("t", [10, 20, 40], 10), [
    { target: "t", from: 0, to: 20 },
    { target: "t", from: 30, to: 40 },
  ]);
});
