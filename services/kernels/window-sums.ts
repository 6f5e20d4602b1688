/**
 * Sums over the windows (t − w, t] of one series, put together of tiles: absolute minutes that a window holds whole, eight of
 * them at once where it holds these, and its samples at both ends. An hour of samples costs some twenty tiles. A window's sums
 * depend on what is in it and on the time of its row, never on what came before or on the other windows.
 *
 * What is kept of tiles is a cache of what adding them up afresh would give. It notices samples that came late or were dropped
 * by their number; a value that changed in its place it cannot see: who makes such a change calls `forgetSums`.
 */
export interface WindowSums {
  readonly windowsMs: readonly number[];
  readonly minutes: Tiles;
  readonly blocks: Tiles;
}

/** A ring of slots, as many as a power of two, each with a tile. */
interface Tiles {
  /** How long a tile is. */
  readonly minutes: number;
  /** What its tiles are put together of; null for samples. */
  readonly of: Tiles | null;
  readonly withTimes: boolean;
  /** Which tile since 1970 each slot holds, and how many samples, finite or not. */
  readonly tiles: Int32Array;
  readonly samples: Int32Array;
  /** Of each slot `sumCells` numbers. */
  readonly sums: Float64Array;
}

const minuteMs = 60_000;
const blockMinutes = 8;
/** Of a slot that holds none. */
const noTile = -(2 ** 31);

/**
 * Σ 1, Σ x, Σ x², Σ y, Σ xy, Σ y² of finite values: x is the milliseconds since the beginning of a minute, and y the difference
 * from a level, which is one of the values; then the level.
 */
export const sumCells = 7;
export const countCell = 0;
export const xCell = 1;
export const xxCell = 2;
export const yCell = 3;
export const xyCell = 4;
/**
 * 0 for equal values only: Infinity (written 1 / 0, since that name is looked up each time) where a square vanishes and its
 * difference does not.
 */
export const yyCell = 5;
export const levelCell = 6;

/** Without times, Σ x, Σ x² and Σ xy are left out and are 0. */
export function openWindowSums(windowsMs: readonly number[], withTimes: boolean): WindowSums {
  const largest = windowsMs.reduce((most, windowMs) => Math.max(most, windowMs), 0);
  const minutes = openTiles(1, null, largest, withTimes);
  return { windowsMs, minutes, blocks: openTiles(blockMinutes, minutes, largest, withTimes) };
}

function openTiles(minutes: number, of: Tiles | null, largestMs: number, withTimes: boolean): Tiles {
  const slots = 2 ** Math.ceil(Math.log2(Math.floor(largestMs / (minutes * minuteMs)) + 1));
  return {
    minutes,
    of,
    withTimes,
    tiles: new Int32Array(slots).fill(noTile),
    samples: new Int32Array(slots),
    sums: new Float64Array(slots * sumCells),
  };
}

/** Has all tiles added up again when they are next used: after any change but appending newer samples and dropping the oldest. */
export function forgetSums({ minutes, blocks }: WindowSums): void {
  minutes.tiles.fill(noTile);
  blocks.tiles.fill(noTile);
}

/**
 * Writes the sums of each window of the row at `end - 1` at `out`, `sumCells` numbers a window, relative to the beginning of the
 * row's minute and to the newest finite value. `timestamps` (milliseconds, strictly ascending) and `values` of the series are at
 * `first ... end - 1`. Windows cost least in ascending order, since a longer one goes on from the sums of the one before.
 */
export function sumWindows(
  state: WindowSums,
  timestamps: Float64Array,
  values: Float64Array,
  first: number,
  end: number,
  out: Float64Array,
): void {
  if (trySumWindows(state, timestamps, values, first, end, out)) return;
  forgetSums(state);
  trySumWindows(state, timestamps, values, first, end, out);
}

/** Sums of the row's own minute, and of the tiles before it that all windows so far hold. */
const nested = new Float64Array(sumCells);

/** False where the cache is not in step with the samples. */
function trySumWindows(
  state: WindowSums,
  timestamps: Float64Array,
  values: Float64Array,
  first: number,
  end: number,
  out: Float64Array,
): boolean {
  const { windowsMs, minutes, blocks } = state;
  const { withTimes } = minutes;
  const row = end - 1;
  const thisMinute = minuteOf(timestamps[row]);
  const thisBlock = Math.floor(thisMinute / blockMinutes) | 0;
  let shorterMs = Infinity;
  // Whatever is from this minute on, and from this index on, is in `nested`.
  let minute = thisMinute;
  let from = end;
  for (let w = 0; w < windowsMs.length; w++) {
    const windowMs = windowsMs[w];
    const cell = w * sumCells;
    if (windowMs < shorterMs) {
      clear(nested, 0, values, first, end);
      minute = thisMinute;
      from = startOfMinute(timestamps, first, end, minute);
      addSamples(nested, 0, timestamps, values, from, end, thisMinute, withTimes);
    }
    shorterMs = windowMs;
    const oldest = minuteOf(timestamps[row] - windowMs) + 1;
    if (oldest > thisMinute) {
      clear(out, cell, values, first, end);
      const start = startOfWindow(timestamps, first, end, row, windowMs);
      addSamples(out, cell, timestamps, values, start, end, thisMinute, withTimes);
      continue;
    }
    const oldestBlock = Math.ceil(oldest / blockMinutes) | 0;
    const head = Math.max(oldest, thisBlock * blockMinutes);
    if (head < minute) {
      from = addTiles(minutes, nested, 0, minute, head, timestamps, values, first, from, thisMinute);
      minute = head;
    }
    if (oldestBlock < thisBlock) {
      const before = Math.floor(minute / blockMinutes) | 0;
      from = addTiles(blocks, nested, 0, before, oldestBlock, timestamps, values, first, from, thisMinute);
      minute = oldestBlock * blockMinutes;
    }
    for (let k = 0; k < sumCells; k++) out[cell + k] = nested[k];
    const edge = addTiles(minutes, out, cell, minute, oldest, timestamps, values, first, from, thisMinute);
    if (!isFirstOf(oldest, timestamps, first, end, edge)) return false;
    const start = startOfWindow(timestamps, first, edge, row, windowMs);
    addSamples(out, cell, timestamps, values, start, edge, thisMinute, withTimes);
  }
  return true;
}

// What follows takes minutes and indices and no milliseconds or values, which are not of the numbers that cost nothing to pass.

/** As an integer to the compiler too. */
function minuteOf(ms: number): number {
  return Math.floor(ms / minuteMs) | 0;
}

/** Sums of nothing yet, relative to the newest finite value. */
function clear(sums: Float64Array, offset: number, values: Float64Array, first: number, end: number): void {
  let newest = end - 1;
  while (newest >= first && values[newest] - values[newest] !== 0) newest--;
  for (let k = 0; k < levelCell; k++) sums[offset + k] = 0;
  sums[offset + levelCell] = newest >= first ? values[newest] : NaN;
}

/** Index of the first sample of the minute, or later; searched for from the end, one by one. */
function startOfMinute(timestamps: Float64Array, first: number, end: number, minute: number): number {
  const ms = minute * minuteMs;
  let i = end;
  while (i > first && timestamps[i - 1] >= ms) i--;
  return i;
}

/** Index of the first sample in the window of a row; searched for from the end, one by one. */
function startOfWindow(
  timestamps: Float64Array,
  first: number,
  end: number,
  row: number,
  windowMs: number,
): number {
  const ms = timestamps[row] - windowMs;
  let i = end;
  while (i > first && timestamps[i - 1] > ms) i--;
  return i;
}

/** Whether the samples from `index` on are those of the minute, and later ones. */
function isFirstOf(
  minute: number,
  timestamps: Float64Array,
  first: number,
  end: number,
  index: number,
): boolean {
  const ms = minute * minuteMs;
  return (
    index >= first &&
    (index === end || timestamps[index] >= ms) &&
    (index === first || timestamps[index - 1] < ms)
  );
}

/** Adds the samples, newest first, to the sums at `into[offset]`, whose times are relative to the beginning of a minute. */
function addSamples(
  into: Float64Array,
  offset: number,
  timestamps: Float64Array,
  values: Float64Array,
  first: number,
  end: number,
  originMinute: number,
  withTimes: boolean,
): void {
  const originMs = originMinute * minuteMs;
  let count = into[offset];
  let x = into[offset + 1];
  let xx = into[offset + 2];
  let y = into[offset + 3];
  let xy = into[offset + 4];
  let yy = into[offset + 5];
  const level = into[offset + 6];
  for (let i = end - 1; i >= first; i--) {
    const value = values[i];
    if (value - value !== 0) continue;
    const dy = value - level;
    count++;
    y += dy;
    yy += dy * dy === 0 && dy !== 0 ? 1 / 0 : dy * dy;
    if (!withTimes) continue;
    const dx = timestamps[i] - originMs;
    x += dx;
    xx += dx * dx;
    xy += dx * dy;
  }
  into[offset] = count;
  into[offset + 1] = x;
  into[offset + 2] = xx;
  into[offset + 3] = y;
  into[offset + 4] = xy;
  into[offset + 5] = yy;
}

/**
 * Adds the tiles `oldest ... before - 1`, newest first, to the sums at `into[offset]`; their samples end at index `end`. Returns
 * the index of the oldest sample, or what the cache takes for it; −1 where it is not in step. Literals instead of the cells'
 * names, which are looked up each time.
 */
function addTiles(
  ring: Tiles,
  into: Float64Array,
  offset: number,
  before: number,
  oldest: number,
  timestamps: Float64Array,
  values: Float64Array,
  first: number,
  end: number,
  originMinute: number,
): number {
  const { tiles, samples, sums, minutes, withTimes } = ring;
  const mask = tiles.length - 1;
  let count = into[offset];
  let x = into[offset + 1];
  let xx = into[offset + 2];
  let y = into[offset + 3];
  let xy = into[offset + 4];
  let yy = into[offset + 5];
  const level = into[offset + 6];
  let index = end;
  let tile = before - 1;
  for (;;) {
    // A loop that calls nothing: one that may takes three times as long.
    for (; tile >= oldest && tiles[tile & mask] === tile; tile--) {
      const slot = tile & mask;
      const at = slot * 7;
      index -= samples[slot];
      const n = sums[at];
      if (n === 0) continue;
      const ownY = sums[at + 3];
      const dy = sums[at + 6] - level;
      const allY = ownY + n * dy;
      count += n;
      y += allY;
      yy += dy * dy === 0 && dy !== 0 ? 1 / 0 : sums[at + 5] + dy * (ownY + allY);
      if (!withTimes) continue;
      const ownX = sums[at + 1];
      const dx = (tile * minutes - originMinute) * 60_000;
      const allX = ownX + n * dx;
      x += allX;
      xx += sums[at + 2] + dx * (ownX + allX);
      xy += sums[at + 4] + dx * allY + dy * ownX;
    }
    if (tile < oldest || index <= first) break;
    if (!addUp(ring, tile, timestamps, values, first, index)) return -1;
  }
  into[offset] = count;
  into[offset + 1] = x;
  into[offset + 2] = xx;
  into[offset + 3] = y;
  into[offset + 4] = xy;
  into[offset + 5] = yy;
  return index;
}

/** Writes the sums of a tile, whose samples end at index `end`, into its slot. False where they do not. */
function addUp(
  { minutes, of, withTimes, tiles, samples, sums }: Tiles,
  tile: number,
  timestamps: Float64Array,
  values: Float64Array,
  first: number,
  end: number,
): boolean {
  const begin = tile * minutes;
  if (timestamps[end - 1] >= (begin + minutes) * minuteMs) return false;
  const slot = tile & (tiles.length - 1);
  const cell = slot * sumCells;
  const from = startOfMinute(timestamps, first, end, begin);
  clear(sums, cell, values, from, end);
  if (of === null) addSamples(sums, cell, timestamps, values, from, end, begin, withTimes);
  else if (addTiles(of, sums, cell, begin + minutes, begin, timestamps, values, from, end, begin) !== from)
    return false;
  tiles[slot] = tile;
  samples[slot] = end - from;
  return true;
}
