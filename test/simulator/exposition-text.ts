/** The samples of a page in Prometheus's text format, by `name{labels}`; throws on a line that is none. */
export function parseExposition(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split("\n")) {
    if (line === "" || /^# (HELP [a-z_]+ .+|TYPE [a-z_]+ (counter|gauge|histogram))$/.test(line)) continue;
    const match = /^([a-z_]+(?:\{(?:[a-z]+="[^"\\]*",?)+\})?) (\S+)$/.exec(line);
    const value = Number(match?.[2]);
    if (match === null || Number.isNaN(value)) throw new Error(`no sample: ${line}`);
    if (samples.has(match[1])) throw new Error(`twice: ${line}`);
    samples.set(match[1], value);
  }
  return samples;
}

/** The sum of all series of a metric whose labels contain the text. */
export function sumOf(samples: Map<string, number>, metric: string, labels = ""): number {
  let sum = 0;
  for (const [series, value] of samples) {
    if (series.startsWith(`${metric}{`) && series.includes(labels)) sum += value;
  }
  return sum;
}
