import { asMillraceError } from "../shared/errors.js";

/** Hands items, one at a time, from one that offers them to a loop that takes them. */
export interface HandOver<Item> {
  /** Resolves to true when the loop has handled the item, and to false when it never will. One at a time. */
  readonly offer: (item: Item) => Promise<boolean>;
  /** The items, until `end`. Throws the error that it was ended with, as a MillraceError. For one loop. */
  readonly items: () => AsyncGenerator<Item, void, undefined>;
  /** Ends the loop after the item that it is at. The first call counts. */
  readonly end: (error?: unknown) => void;
}

interface Offer<Item> {
  readonly item: Item;
  readonly settle: (isHandled: boolean) => void;
}

export function createHandOver<Item>(): HandOver<Item> {
  let pending: Offer<Item> | null = null;
  let wake: (() => void) | null = null;
  let ended: { readonly error: unknown } | null = null;

  return {
    offer: (item) => {
      if (ended !== null) return Promise.resolve(false);
      return new Promise((settle) => {
        pending = { item, settle };
        wake?.();
      });
    },
    items: async function* () {
      try {
        while (ended === null) {
          if (pending === null) {
            await new Promise<void>((resolve) => (wake = resolve));
            continue;
          }
          const { item, settle }: Offer<Item> = pending;
          yield item;
          pending = null;
          settle(true);
        }
      } finally {
        // The loop was left, or ended while an item waited.
        ended ??= { error: undefined };
        pending?.settle(false);
      }
      if (ended.error !== undefined) throw asMillraceError(ended.error);
    },
    end: (error) => {
      ended ??= { error };
      wake?.();
    },
  };
}
