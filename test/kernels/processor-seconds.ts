/**
 * The median of five runs' seconds, after one to warm up. Time of the processor: what else the machine does
 * counts little.
 */
export function processorSeconds(work: () => void): number {
  const runs = Array.from({ length: 6 }, () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  });
  return runs.slice(1).sort((a, b) => a - b)[2];
}
