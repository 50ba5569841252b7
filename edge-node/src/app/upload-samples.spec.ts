import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@edgeloop/testkit';
import { ToldBus } from './bus.spec-kit.ts';
import { bucket, granted, keep, NODE, noReceipts, sending, stopAll } from './send-samples.spec-kit.ts';
import { REFUSED_RETRY_MS } from './upload-samples.ts';

afterEach(stopAll);

describe('frames that cannot move', () => {
  const accepting = ({ sampleIds }: { sampleIds: string[] }) => ({ ...noReceipts, accepted: sampleIds });

  it('hold up no other campaign, however many and however valuable they are', async () => {
    const store = await bucket();
    const bus = new ToldBus({
      'node.grant': ({ campaignId }: { campaignId: string }) =>
        campaignId === 'open' ? granted(store.endpoint, { campaignId }) : { granted: false, reason: 'budget-spent', retryAfterMs: 60_000 },
      'node.receipts': accepting,
    });
    const going = await sending(bus);
    for (let campaign = 0; campaign < 6; campaign += 1) {
      for (let frame = 0; frame < 25; frame += 1) keep(going, `${campaign}/${frame}`, { campaignId: `spent-${campaign}`, value: 0.9 });
    }
    const wanted = keep(going, 'wanted', { campaignId: 'open', value: 0.1 });
    await eventually(() => expect(going.spool.stats().items).toBe(150));
    expect(store.keys).toEqual([`/samples/${NODE}/open/${wanted}.jpg`]);
    expect(bus.asked.filter(({ type }) => type === 'node.grant')).toHaveLength(7);
  });

  it('because the store refuses them wait aside, and are tried again after a while', async () => {
    let refusing = true;
    const cursed: string[] = [];
    const store = await bucket((key) => refusing && cursed.some((sampleId) => key.includes(sampleId)));
    const bus = new ToldBus({ 'node.grant': () => granted(store.endpoint, { samplesLeft: 1_000 }), 'node.receipts': accepting });
    const going = await sending(bus);
    for (let frame = 0; frame < 25; frame += 1) cursed.push(keep(going, `cursed ${frame}`, { value: 0.9 }));
    keep(going, 'blessed', { value: 0.1 });
    await eventually(() => expect(going.spool.stats().items).toBe(25));
    expect(store.refused.toSorted()).toEqual(cursed.map((sampleId) => `/samples/${NODE}/base/${sampleId}.jpg`).toSorted());
    refusing = false;
    going.duty.ring();
    await eventually(() => expect(going.spool.atStage('refused', 99)).toHaveLength(25));
    going.skip(REFUSED_RETRY_MS);
    await eventually(() => {
      going.duty.ring();
      expect(going.spool.stats()).toMatchObject({ items: 0, shed: 0 });
    });
  });

  it('because the bus refuses their manifest wait aside too', async () => {
    const store = await bucket();
    const bus = new ToldBus({ 'node.grant': () => granted(store.endpoint), 'node.receipts': accepting });
    bus.failures.push(Object.assign(new Error('too large'), { retryable: false }));
    const going = await sending(bus);
    keep(going, 'one');
    await eventually(() => expect(going.spool.atStage('refused', 9)).toHaveLength(1));
    keep(going, 'two');
    await eventually(() => expect(going.spool.stats().items).toBe(1));
    going.skip(REFUSED_RETRY_MS);
    await eventually(() => {
      going.duty.ring();
      expect(going.spool.stats().items).toBe(0);
    });
  });

  it('because their rights are no use leave the others to go on', async () => {
    const store = await bucket();
    const bus = new ToldBus({
      'node.grant': ({ campaignId }: { campaignId: string }) => ({
        ...granted(store.endpoint, { campaignId }),
        ...(campaignId === 'torn' ? { sealed: 'no seal at all' } : {}),
      }),
      'node.receipts': accepting,
    });
    const going = await sending(bus);
    for (let frame = 0; frame < 25; frame += 1) keep(going, `torn ${frame}`, { campaignId: 'torn', value: 0.9 });
    keep(going, 'whole', { campaignId: 'whole', value: 0.1 });
    await eventually(() => expect(going.spool.stats().items).toBe(25));
    expect(store.keys).toHaveLength(1);
  });
});

describe('a frame that is damaged on the disk', () => {
  it('is dropped when nobody has it, and stays for its receipt when it was in the store once', async () => {
    const store = await bucket();
    let receipt = (sampleIds: string[]): unknown => ({ ...noReceipts, unknown: sampleIds });
    const bus = new ToldBus({
      'node.grant': () => granted(store.endpoint),
      'node.receipts': ({ sampleIds }: { sampleIds: string[] }) => receipt(sampleIds),
    });
    const going = await sending(bus);
    const announced = keep(going, 'announced');
    await eventually(() => expect(bus.published).toHaveLength(1));
    going.damage(announced);
    const fresh = keep(going, 'fresh');
    going.damage(fresh);
    await eventually(() => {
      going.duty.ring();
      expect(bus.published.length).toBeGreaterThanOrEqual(4);
    });
    expect(bus.published.map(({ payload }) => (payload as { sampleId: string }).sampleId)).not.toContain(fresh);
    expect(going.spool.stats().items).toBe(1);
    receipt = (accepted) => ({ ...noReceipts, accepted });
    await eventually(() => {
      going.duty.ring();
      expect(going.spool.stats().items).toBe(0);
    });
  });
});
