import { MAX_SOURCE_GAPS, type SourceGap } from "../../shared/backfill-request.js";
import { matchersOf, selectorText } from "../../shared/config-selector.js";
import type { Window } from "../window.js";

/** The labels of a target that all its series share, whatever a target's own labels are beyond them. */
const TARGET_LABELS: readonly string[] = ["job", "instance"];

/** The selector of `up` for the targets that a selector's series can be of: what it says of job and instance, and no more. */
export function upSelector(selector: string): string {
  return `up${selectorText(matchersOf(selector).filter(({ label }) => TARGET_LABELS.includes(label)))}`;
}

/** Gaps from the ends of the steps at which each target was down, ascending; steps that follow each other are one gap. */
export function gapsOfSteps(target: string, ends: ArrayLike<number>, stepMs: number): SourceGap[] {
  const gaps: SourceGap[] = [];
  for (let i = 0; i < ends.length; i++) {
    const last = gaps.at(-1);
    const from = ends[i] - stepMs;
    if (last?.to === from) gaps[gaps.length - 1] = { ...last, to: ends[i] };
    else gaps.push({ target, from, to: ends[i] });
  }
  return gaps;
}

/** What lies of the gaps within a window. */
export function gapsWithin(gaps: readonly SourceGap[], { from, to }: Window): SourceGap[] {
  return gaps
    .map((gap) => ({ target: gap.target, from: Math.max(gap.from, from), to: Math.min(gap.to, to) }))
    .filter((gap) => gap.from < gap.to);
}

/** Known gaps and newer ones, joined where they touch; the first MAX_SOURCE_GAPS are kept, and `downMs` counts all. */
export function withGaps(
  known: { readonly sourceGaps: readonly SourceGap[]; readonly downMs: number },
  newer: readonly SourceGap[],
): { sourceGaps: SourceGap[]; downMs: number } {
  const sourceGaps = [...known.sourceGaps];
  let { downMs } = known;
  for (const gap of newer) {
    downMs += gap.to - gap.from;
    const at = sourceGaps.findLastIndex(({ target }) => target === gap.target);
    if (at >= 0 && sourceGaps[at].to === gap.from) sourceGaps[at] = { ...sourceGaps[at], to: gap.to };
    else if (sourceGaps.length < MAX_SOURCE_GAPS) sourceGaps.push(gap);
  }
  return { sourceGaps, downMs };
}
