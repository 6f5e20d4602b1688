/** Quantities as people read them; an em dash stands for what is not known. */

const unknown = "—";

/** `1,234`, and from a million on `1.23 M`. */
export function countText(count: number | null): string {
  if (count === null || !Number.isFinite(count)) return unknown;
  if (count >= 1e9) return `${(count / 1e9).toFixed(2)} G`;
  if (count >= 1e6) return `${(count / 1e6).toFixed(2)} M`;
  return Math.round(count).toLocaleString("en-US");
}

/** Three digits at the most, in the unit that fits: `840 µs`, `12 ms`, `1.27 s`, `4 min`, `2.5 h`, `3.1 d`. */
export function secondsText(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return unknown;
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 120) return `${seconds.toFixed(0)} s`;
  if (seconds < 7200) return `${(seconds / 60).toFixed(0)} min`;
  if (seconds < 172_800) return `${(seconds / 3600).toFixed(1)} h`;
  return `${(seconds / 86_400).toFixed(1)} d`;
}

export function bytesText(bytes: number | null): string {
  if (bytes === null || !Number.isFinite(bytes)) return unknown;
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : `${Math.round(bytes / 1e6)} MB`;
}

/** A duration of the configuration in the largest unit that it is a whole number of: `30 d`, `90 s`. */
export function durationText(ms: number): string {
  const units: [string, number][] = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["min", 60_000],
    ["s", 1_000],
  ];
  for (const [unit, length] of units) if (ms >= length && ms % length === 0) return `${ms / length} ${unit}`;
  return `${ms} ms`;
}
