import { type Random, randomStream } from "../../../services/kernels/random.js";
import type { PresenceTable } from "../../../services/kernels/missing/presence.js";

/** Seeded tables: samples missing at random, in runs, at periods, with whole frames, series that begin and end. */
export function madeTable(seed: number, frames: number, width: number): PresenceTable {
  const random = randomStream(seed, "presence", 0);
  const present = new Uint8Array(frames * width);
  const noFrames = Array.from({ length: frames }, () => random() < 0.02);
  for (let s = 0; s < width; s++) {
    const column = madeColumn(random, frames);
    for (let row = 0; row < frames; row++) present[row * width + s] = Number(column[row] && !noFrames[row]);
  }
  return { present, frames, width };
}

function madeColumn(random: Random, frames: number): boolean[] {
  const [share, begins, ends] = [random() * 0.3, random() < 0.3, random() < 0.2];
  const first = begins ? Math.floor(random() * frames) : 0;
  const end = ends ? Math.floor(random() * frames) : frames;
  const period = random() < 0.3 ? 2 + Math.floor(random() * 10) : 0;
  let isAway = false;
  return Array.from({ length: frames }, (_, row) => {
    if (random() < (isAway ? 0.3 : 0.02)) isAway = !isAway;
    const isOff = period > 0 && row % period === 1;
    return row >= first && row < end && !isAway && !isOff && random() >= share;
  });
}
