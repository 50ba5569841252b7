import { LANES_KEPT_MAX, PARK_GRACE_MS } from './limits.ts';

export interface LaneItem {
  readonly key: string;
  /** Position in the stream: items of a lane run in this order. */
  readonly sequence: number;
}

/** What an item asks for after it ran: nothing, or that its lane waits for it to come back. */
export type LaneVerdict = { readonly parkMs: number } | undefined;

interface Lane<T> {
  readonly key: string;
  readonly waiting: T[];
  running: T | undefined;
  queued: boolean;
  parked: { readonly sequence: number; readonly timer: NodeJS.Timeout } | undefined;
}

/**
 * Bounded concurrency with order per key: one item of a key at a time, by sequence.
 *
 * An item that failed is delivered again after a delay. Its lane is parked meanwhile, so that later items of the key do not
 * overtake it; the lane goes on when the item is back, or when it has not come back in time (another replica got it).
 */
export class Lanes<T extends LaneItem> {
  readonly #lanes = new Map<string, Lane<T>>();
  readonly #ready: Lane<T>[] = [];
  readonly #concurrency: number;
  readonly #run: (item: T) => Promise<LaneVerdict> | LaneVerdict;
  #running = 0;
  #pumping = false;
  #stopped = false;
  #whenIdle: (() => void)[] = [];

  /** `run` must not throw. */
  constructor(concurrency: number, run: (item: T) => Promise<LaneVerdict> | LaneVerdict) {
    this.#concurrency = concurrency;
    this.#run = run;
  }

  push(item: T): void {
    const lane = this.#laneOf(item.key);
    if (this.#isFree(lane)) return this.#start(lane, item);
    insert(lane.waiting, item);
    if (lane.parked !== undefined && item.sequence <= lane.parked.sequence) unpark(lane);
    this.#makeReady(lane);
    this.#pump();
  }

  /** Nothing before it, in its lane or in the queue of lanes: the common case, worth a short way. */
  #isFree(lane: Lane<T>): boolean {
    const idle = lane.running === undefined && lane.parked === undefined && lane.waiting.length === 0;
    return idle && this.#ready.length === 0 && this.#running < this.#concurrency && !this.#stopped;
  }

  /** Takes out everything that has not started, and starts nothing more. */
  stop(): T[] {
    this.#stopped = true;
    this.#ready.length = 0;
    const left: T[] = [];
    for (const lane of this.#lanes.values()) {
      left.push(...lane.waiting.splice(0));
      unpark(lane);
    }
    return left;
  }

  /** Resolves when nothing runs. */
  idle(): Promise<void> {
    return this.#running === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Everything held: what runs and what waits. */
  *items(): Generator<T> {
    for (const lane of this.#lanes.values()) {
      if (lane.running !== undefined) yield lane.running;
      yield* lane.waiting;
    }
  }

  #laneOf(key: string): Lane<T> {
    const known = this.#lanes.get(key);
    if (known !== undefined) return known;
    const lane: Lane<T> = { key, waiting: [], running: undefined, queued: false, parked: undefined };
    this.#lanes.set(key, lane);
    return lane;
  }

  /**
   * A map that grows and shrinks with every message leaves a chain of dead tables, which the garbage collector follows from the old
   * space into the new one: everything survives until a full collection. So idle lanes stay, up to a number.
   */
  #forgetIfIdle(lane: Lane<T>): void {
    const idle = lane.waiting.length === 0 && lane.running === undefined && lane.parked === undefined;
    if (idle && this.#lanes.size > LANES_KEPT_MAX) this.#lanes.delete(lane.key);
  }

  #makeReady(lane: Lane<T>): void {
    const startable = !this.#stopped && lane.running === undefined && !lane.queued && lane.parked === undefined && lane.waiting.length > 0;
    if (!startable) return;
    lane.queued = true;
    this.#ready.push(lane);
  }

  /** Handlers that end at once come back here from inside the loop; the loop goes on with them, the stack does not grow. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#running < this.#concurrency) {
      const lane = this.#ready.shift();
      if (lane === undefined) break;
      lane.queued = false;
      const item = lane.waiting.shift();
      if (item !== undefined) this.#start(lane, item);
    }
    this.#pumping = false;
    if (this.#running === 0) for (const wake of this.#whenIdle.splice(0)) wake();
  }

  #start(lane: Lane<T>, item: T): void {
    lane.running = item;
    this.#running++;
    const verdict = this.#run(item);
    if (verdict instanceof Promise) void verdict.then((late) => this.#ended(lane, item, late));
    else this.#ended(lane, item, verdict);
  }

  #ended(lane: Lane<T>, item: T, verdict: LaneVerdict): void {
    lane.running = undefined;
    this.#running--;
    if (verdict !== undefined && !this.#stopped) this.#park(lane, item, verdict.parkMs);
    this.#makeReady(lane);
    this.#forgetIfIdle(lane);
    this.#pump();
  }

  #park(lane: Lane<T>, item: T, parkMs: number): void {
    const resume = (): void => {
      lane.parked = undefined;
      this.#makeReady(lane);
      this.#forgetIfIdle(lane);
      this.#pump();
    };
    lane.parked = { sequence: item.sequence, timer: setTimeout(resume, parkMs + PARK_GRACE_MS) };
  }
}

function unpark(lane: Lane<never> | Lane<LaneItem>): void {
  clearTimeout(lane.parked?.timer);
  lane.parked = undefined;
}

/** By sequence; a newer delivery of a waiting item takes its place, since only the newest can be settled. */
function insert<T extends LaneItem>(waiting: T[], item: T): void {
  let at = waiting.length;
  while (at > 0 && (waiting[at - 1]?.sequence ?? 0) > item.sequence) at--;
  const same = waiting[at - 1]?.sequence === item.sequence;
  if (same) waiting[at - 1] = item;
  else if (at === waiting.length) waiting.push(item);
  else waiting.splice(at, 0, item);
}
