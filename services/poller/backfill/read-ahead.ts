/**
 * What the tasks come to, in their order, with up to `concurrency` of them under way at a time: so many results are held.
 * Rejects with the first failure in that order; whoever leaves early must end the tasks under way himself.
 */
export async function* readAhead<Result>(
  tasks: Iterable<() => Promise<Result>>,
  concurrency: number,
): AsyncGenerator<Result, void, undefined> {
  const underWay: Promise<Result>[] = [];
  for (const task of tasks) {
    const result = task();
    // Its failure is told when its turn comes, if ever.
    result.catch(() => undefined);
    underWay.push(result);
    if (underWay.length >= concurrency) yield await underWay.shift()!;
  }
  while (underWay.length > 0) yield await underWay.shift()!;
}
