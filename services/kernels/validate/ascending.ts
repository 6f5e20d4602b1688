/**
 * Marks by 1 in `broken[k]` the values that stand in the wrong order: `values[places[first + k]]` for k below `count`
 * must ascend, strictly unless `allowsEqual`. Both values of a neighbouring pair that does not are marked, since
 * nothing says which of them is wrong. Returns whether any is marked. Where one of the values is not finite, the order
 * is not judged: nothing is marked.
 */
export function markDisorder(
  values: Float64Array,
  places: Int32Array,
  first: number,
  count: number,
  allowsEqual: boolean,
  broken: Uint8Array,
): boolean {
  broken.fill(0, 0, count);
  for (let k = 0; k < count; k++) {
    const value = values[places[first + k]];
    if (value - value !== 0) return false;
  }
  let any = false;
  for (let k = 1; k < count; k++) {
    const before = values[places[first + k - 1]];
    const value = values[places[first + k]];
    if (before < value || (allowsEqual && before === value)) continue;
    broken[k - 1] = broken[k] = 1;
    any = true;
  }
  return any;
}
