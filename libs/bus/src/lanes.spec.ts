import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { Lanes, type LaneItem, type LaneVerdict } from './lanes.ts';
import { PARK_GRACE_MS } from './limits.ts';

interface Item extends LaneItem {
  readonly name?: string;
}

/** Ends each item only when told to. */
class Stage {
  readonly started: Item[] = [];
  readonly #ends = new Map<Item, (verdict: LaneVerdict) => void>();
  readonly lanes: Lanes<Item>;

  constructor(concurrency: number) {
    this.lanes = new Lanes<Item>(concurrency, (item) => {
      this.started.push(item);
      return new Promise((resolve) => this.#ends.set(item, resolve));
    });
  }

  get running(): Item[] {
    return [...this.#ends.keys()];
  }

  async end(item: Item | undefined, verdict?: LaneVerdict): Promise<void> {
    if (item === undefined) throw new Error('nothing runs');
    this.#ends.get(item)?.(verdict);
    this.#ends.delete(item);
    await Promise.resolve();
    await Promise.resolve();
  }
}

const item = (key: string, sequence: number): Item => ({ key, sequence });
const sequences = (items: readonly Item[]): number[] => items.map((one) => one.sequence);

describe('lanes', () => {
  it('run items of one key one after the other, and keys side by side', async () => {
    const stage = new Stage(10);
    for (const one of [item('a', 1), item('a', 2), item('b', 3)]) stage.lanes.push(one);
    expect(sequences(stage.running)).toEqual([1, 3]);
    await stage.end(stage.running[0]);
    expect(sequences(stage.running)).toEqual([3, 2]);
  });

  it('never run more than allowed', async () => {
    const stage = new Stage(2);
    for (let sequence = 1; sequence <= 5; sequence++) stage.lanes.push(item(`k${sequence}`, sequence));
    expect(sequences(stage.running)).toEqual([1, 2]);
    await stage.end(stage.running[0]);
    expect(sequences(stage.running)).toEqual([2, 3]);
  });

  it('give an early item its place back when it arrives late', async () => {
    const stage = new Stage(1);
    for (const one of [item('x', 1), item('a', 5), item('a', 7), item('a', 6)]) stage.lanes.push(one);
    for (let index = 0; index < 4; index++) await stage.end(stage.running[0]);
    expect(sequences(stage.started)).toEqual([1, 5, 6, 7]);
  });

  it('keep only the newest delivery of a waiting item', async () => {
    const stage = new Stage(1);
    stage.lanes.push(item('x', 1));
    stage.lanes.push({ key: 'a', sequence: 2, name: 'old' });
    stage.lanes.push({ key: 'a', sequence: 2, name: 'new' });
    await stage.end(stage.running[0]);
    await stage.end(stage.running[0]);
    expect(stage.started.map((one) => one.name)).toEqual([undefined, 'new']);
  });

  it('do not grow the stack when thousands of items end at once', () => {
    let done = 0;
    const lanes = new Lanes<Item>(1, () => {
      done++;
      return undefined;
    });
    let first: ((verdict: LaneVerdict) => void) | undefined;
    const blocked = new Lanes<Item>(1, (one) => (one.sequence === 0 ? new Promise((resolve) => (first = resolve)) : void done++));
    for (let sequence = 0; sequence < 20_000; sequence++) lanes.push(item('a', sequence));
    expect(done).toBe(20_000);
    for (let sequence = 0; sequence < 20_000; sequence++) blocked.push(item('a', sequence));
    first?.(undefined);
    return blocked.idle().then(() => expect(done).toBe(39_999));
  });

  it('hand out everything that has not started when they stop, and start nothing more', async () => {
    const stage = new Stage(1);
    for (const one of [item('a', 1), item('a', 2), item('b', 3)]) stage.lanes.push(one);
    expect(new Set(sequences(stage.lanes.stop()))).toEqual(new Set([2, 3]));
    const idle = stage.lanes.idle();
    await stage.end(stage.running[0]);
    await idle;
    expect(sequences(stage.started)).toEqual([1]);
  });
});

describe('a parked lane', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('waits for its failed item to come back, and lets nothing of the key overtake', async () => {
    const stage = new Stage(10);
    for (const one of [item('a', 1), item('a', 2), item('b', 3)]) stage.lanes.push(one);
    await stage.end(stage.running[0], { parkMs: 1_000 });
    expect(sequences(stage.running)).toEqual([3]);
    stage.lanes.push(item('a', 4));
    expect(sequences(stage.running)).toEqual([3]);
    stage.lanes.push(item('a', 1));
    expect(sequences(stage.running)).toEqual([3, 1]);
    await stage.end(stage.running[1]);
    expect(sequences(stage.running)).toEqual([3, 2]);
  });

  it('goes on when the item does not come back: another replica has it', async () => {
    const stage = new Stage(10);
    stage.lanes.push(item('a', 1));
    stage.lanes.push(item('a', 2));
    await stage.end(stage.running[0], { parkMs: 1_000 });
    jest.advanceTimersByTime(1_000 + PARK_GRACE_MS - 1);
    expect(sequences(stage.running)).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(sequences(stage.running)).toEqual([2]);
  });
});

describe('whatever arrives in whatever order', () => {
  it('everything runs once, each key one at a time, and in order of what was waiting', async () => {
    const arrivals = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), ms: fc.integer({ min: 0, max: 3 }) }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(arrivals, fc.integer({ min: 1, max: 5 }), async (given, concurrency) => {
        const running = new Set<string>();
        const done: Item[] = [];
        let most = 0;
        const lanes = new Lanes<Item & { ms: number }>(concurrency, async (one) => {
          expect(running.has(one.key)).toBe(false);
          running.add(one.key);
          most = Math.max(most, running.size);
          for (let turn = 0; turn < one.ms; turn++) await Promise.resolve();
          running.delete(one.key);
          done.push(one);
          return undefined;
        });
        given.forEach((one, sequence) => lanes.push({ ...one, sequence }));
        await lanes.idle();
        expect(done).toHaveLength(given.length);
        expect(most).toBeLessThanOrEqual(concurrency);
        for (const key of ['a', 'b', 'c']) {
          const order = sequences(done.filter((one) => one.key === key));
          expect(order).toEqual(order.toSorted((left, right) => left - right));
        }
      }),
    );
  });
});
