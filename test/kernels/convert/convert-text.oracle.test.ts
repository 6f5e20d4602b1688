import { after, before, describe, it } from "node:test";
import { type ValueType, convertText } from "../../../services/kernels/convert/convert-text.js";
import { type Random, randomStream } from "../../../services/kernels/random.js";
import { openComparison } from "../../oracle/comparison.js";
import { type Python, openPython } from "../../oracle/python.js";

const textsPerOperation = 2_000;

const pick = <Item>(random: Random, items: readonly Item[]): Item =>
  items[Math.floor(random() * items.length)];
const digits = (random: Random, longest: number): string =>
  Array.from({ length: 1 + Math.floor(random() * longest) }, () => Math.floor(random() * 10)).join("");
const sign = (random: Random): string => pick(random, ["", "", "-", "+"]);
const plain = (random: Random): string =>
  pick(random, [
    digits(random, 20),
    `${digits(random, 12)}.${digits(random, 12)}`,
    `.${digits(random, 17)}`,
    `${digits(random, 5)}.`,
  ]);
const exponent = (random: Random): string => pick(random, ["e", "E", "e-", "e+"]) + digits(random, 2);

function numberText(random: Random): string {
  const wrong = ["", "abc", "1.2.3", "--1", "1e", "e5", ".", "1 2", "12ms", "5%", "one"];
  if (random() < 0.1) return pick(random, wrong);
  return sign(random) + plain(random) + (random() < 0.4 ? exponent(random) : "");
}

const durationUnits = ["d", "h", "m", "s", "ms", "us", "ns"];

/** Of whole numbers: pandas cuts a fraction to nanoseconds by way of binary fractions (88.69d loses one). */
function wholeDurationText(random: Random): string {
  if (random() < 0.1) return pick(random, ["1x", "abc", "h", "5 parsecs", "1h2x", "s5"]);
  const parts = durationUnits.filter(() => random() < 0.4).map((unit) => digits(random, 3) + unit);
  return (random() < 0.2 ? "-" : "") + (parts.length === 0 ? "7s" : parts.join(""));
}

function durationText(random: Random): string {
  if (random() < 0.1) return pick(random, ["1x", "abc", "h", "5 parsecs", "1h2x", "s5", "1s1h", "1s1s"]);
  const parts = ["y", "w", ...durationUnits].filter(() => random() < 0.3).map((unit) => plain(random) + unit);
  return sign(random) + (parts.length === 0 ? "7s" : parts.join(""));
}

function quantityText(random: Random): string {
  const suffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
  if (random() < 0.1) return pick(random, ["", "K", "1K", "1ki", "1KB", "1.2.3M", "m", "1mi", "Gi", "--1k"]);
  return sign(random) + plain(random) + (random() < 0.2 ? exponent(random) : pick(random, suffixes));
}

describe("text of values", () => {
  let python: Python;
  before(() => {
    python = openPython("test/kernels/convert/convert-text.oracle.py", { remembers: true });
  });
  after(() => python.close());

  const operations: {
    name: string;
    oracle: string;
    call: string;
    type: ValueType;
    text: (random: Random) => string;
    limit: number;
  }[] = [
    // pandas adds up digits and multiplies by a power of ten, so its last bit is not always the nearest.
    {
      name: "numbers in text",
      oracle: "pandas to_numeric",
      call: "to_numeric",
      type: "number",
      text: numberText,
      limit: 1e-15,
    },
    {
      name: "numbers in text",
      oracle: "Python float",
      call: "python_float",
      type: "number",
      text: numberText,
      limit: 0,
    },
    {
      name: "durations in text",
      oracle: "pandas to_timedelta",
      call: "to_timedelta_seconds",
      type: "duration",
      text: wholeDurationText,
      limit: 0,
    },
    {
      name: "durations in text",
      oracle: "Prometheus's units on Python fractions",
      call: "duration",
      type: "duration",
      text: durationText,
      limit: 0,
    },
    {
      name: "quantities in text",
      oracle: "Kubernetes's suffixes on Python fractions",
      call: "quantity",
      type: "quantity",
      text: quantityText,
      limit: 0,
    },
  ];
  for (const { name, oracle, call, type, text, limit } of operations) {
    it(`${name} equal ${oracle}`, async (context) => {
      const comparison = openComparison(name, oracle, limit);
      const random = randomStream(1, name, 0);
      const texts = Array.from({ length: textsPerOperation }, () => text(random));
      const expected = await python.call<Float64Array>(call, texts);
      texts.forEach((one, i) =>
        comparison.compare([convertText(one, type).value], [expected[i]], JSON.stringify(one)),
      );
      comparison.conclude(context);
    });
  }
});
