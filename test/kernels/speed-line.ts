/** What a library takes for the same work, measured in the same call. */
export interface Theirs {
  readonly library: string;
  readonly seconds: number;
}

/** Prints `operation | ours | theirs | ratio`; a dash where there is nothing to compare with. */
export function printSpeed(operation: string, seconds: number, theirs?: Theirs): void {
  const [other, ratio] =
    theirs === undefined
      ? ["–", "–"]
      : [`${theirs.library} ${durationText(theirs.seconds)}`, `${threeDigits(theirs.seconds / seconds)} ×`];
  process.stdout.write(`${[operation, durationText(seconds), other, ratio].join(" | ")}\n`);
}

const units = [
  { unit: "s", seconds: 1 },
  { unit: "ms", seconds: 1e-3 },
  { unit: "µs", seconds: 1e-6 },
] as const;

function durationText(seconds: number): string {
  const { unit, seconds: one } = units.find((each) => seconds >= each.seconds) ?? {
    unit: "ns",
    seconds: 1e-9,
  };
  return `${threeDigits(seconds / one)} ${unit}`;
}

function threeDigits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
