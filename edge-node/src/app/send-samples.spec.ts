import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@edgeloop/testkit';
import { ToldBus } from './bus.spec-kit.ts';
import { bucket, granted, keep, NODE, noReceipts, sending, stopAll } from './send-samples.spec-kit.ts';

afterEach(stopAll);

describe('a kept frame on its way home', () => {
  it('is uploaded under its own hash, announced, and forgotten with the receipt', async () => {
    const store = await bucket();
    let receipts: (ids: string[]) => unknown = (unknown) => ({ ...noReceipts, unknown });
    const bus = new ToldBus({
      'node.grant': () => granted(store.endpoint),
      'node.receipts': ({ sampleIds }: { sampleIds: string[] }) => receipts(sampleIds),
    });
    const going = await sending(bus);
    const sampleId = keep(going, 'a picture');
    await eventually(() => expect(bus.published).toHaveLength(1));
    expect(store.keys).toEqual([`/samples/${NODE}/base/${sampleId}.jpg`]);
    expect(bus.published[0]).toMatchObject({ id: `${NODE}.epoch-12345.manifest.1.0`, payload: { sampleId, nodeId: NODE, sequence: 1 } });
    expect(going.spool.stats().items).toBe(1);
    receipts = (accepted) => ({ ...noReceipts, accepted });
    going.duty.ring();
    await eventually(() => expect(going.spool.stats().items).toBe(0));
  });

  it('is announced anew, under another id, while the collector does not know it', async () => {
    const store = await bucket();
    const bus = new ToldBus({
      'node.grant': () => granted(store.endpoint),
      'node.receipts': ({ sampleIds }: { sampleIds: string[] }) => ({ ...noReceipts, unknown: sampleIds }),
    });
    const going = await sending(bus);
    keep(going, 'lost on its way');
    await eventually(() => {
      going.duty.ring();
      expect(new Set(bus.published.map(({ id }) => id)).size).toBeGreaterThanOrEqual(3);
    });
    expect(store.keys.length).toBeGreaterThanOrEqual(2);
    expect(going.spool.stats().items).toBe(1);
  });

  it('stays when the bus goes away in between, and is not uploaded again', async () => {
    const store = await bucket();
    const bus = new ToldBus({
      'node.grant': () => {
        queueMicrotask(() => (bus.away = true));
        return granted(store.endpoint);
      },
      'node.receipts': ({ sampleIds }: { sampleIds: string[] }) => ({ ...noReceipts, accepted: sampleIds }),
    });
    const going = await sending(bus);
    keep(going, 'in between');
    await eventually(() => expect(going.spool.atStage('stored', 9)).toHaveLength(1));
    bus.comeBack();
    await eventually(() => expect(going.spool.stats().items).toBe(0));
    expect(store.keys).toHaveLength(1);
  });

  it('that is quarantined is forgotten too: the collector has it, and may take another in its place', async () => {
    const store = await bucket();
    const bus = new ToldBus({
      'node.grant': () => granted(store.endpoint),
      'node.receipts': ({ sampleIds }: { sampleIds: string[] }) => ({
        ...noReceipts,
        quarantined: sampleIds.map((sampleId) => ({ sampleId, reason: 'no-picture' })),
      }),
    });
    const going = await sending(bus);
    keep(going, 'no picture at all');
    await eventually(() => expect(going.spool.stats().items).toBe(0));
    await eventually(() => expect(going.grants.samplesLeft('base')).toBeNull());
  });

  it('uses up what the collector takes, and then asks again before it uploads more', async () => {
    const store = await bucket();
    let left = 2;
    const bus = new ToldBus({
      'node.grant': () =>
        left > 0 ? granted(store.endpoint, { samplesLeft: left }) : { granted: false, reason: 'budget-spent', retryAfterMs: 60_000 },
      'node.receipts': ({ sampleIds }: { sampleIds: string[] }) => {
        left -= sampleIds.length;
        return { ...noReceipts, accepted: sampleIds };
      },
    });
    const going = await sending(bus);
    expect(going.grants.samplesLeft('base')).toBeNull();
    for (const text of ['one', 'two']) keep(going, text);
    await eventually(() => expect(going.spool.stats().items).toBe(0));
    expect(going.grants.samplesLeft('base')).toBe(0);
    keep(going, 'three');
    await eventually(() => expect(bus.asked.filter(({ type }) => type === 'node.grant')).toHaveLength(2));
    expect(store.keys).toHaveLength(2);
    expect(going.spool.stats().items).toBe(1);
    left = 5;
    going.grants.forget('base');
    expect(going.grants.samplesLeft('base')).toBeNull();
    going.duty.ring();
    await eventually(() => expect(store.keys).toHaveLength(3));
    await eventually(() => expect(going.grants.samplesLeft('base')).toBe(4));
  });

  it('is not uploaded with rights that were made for another node', async () => {
    const store = await bucket();
    const bus = new ToldBus({ 'node.grant': () => granted(store.endpoint, { forNode: 'n2' }) });
    const going = await sending(bus);
    keep(going, 'mine');
    await eventually(() => expect(bus.asked.length).toBeGreaterThan(0));
    going.skip(60_000);
    await eventually(() => {
      going.duty.ring();
      expect(bus.asked.length).toBeGreaterThan(1);
    });
    expect(store.keys).toEqual([]);
  });
});
