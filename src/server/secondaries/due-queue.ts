/** Something that is due at a time. `nextAt` may change; another `add` is due then. */
export type Due = { nextAt: number };

type Entry<T> = { readonly at: number; readonly item: T };

/**
 * Items by when they are due, the earliest first: a binary heap, so that a hundred thousand of them cost nothing while
 * none is due. Items are never taken out early: an entry whose time is not its item's any more is passed over.
 */
export class DueQueue<T extends Due> {
  private readonly heap: Entry<T>[] = [];

  /** The item is due at its `nextAt`. */
  add(item: T): void {
    const { heap } = this;
    const entry = { at: item.nextAt, item };
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent].at <= entry.at) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = entry;
  }

  /** The earliest item that is due by `now` and still `wanted`; null: none. */
  take(now: number, wanted: (item: T) => boolean): T | null {
    while (this.heap.length > 0 && this.heap[0].at <= now) {
      const { at, item } = this.pop();
      if (item.nextAt === at && wanted(item)) return item;
    }
    return null;
  }

  private pop(): Entry<T> {
    const { heap } = this;
    const [first] = heap;
    const last = heap.pop() ?? first;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1].at < heap[child].at) child++;
      if (heap[child].at >= last.at) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return first;
  }
}
