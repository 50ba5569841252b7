import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@edgeloop/testkit';
import { ToldBus } from './bus.spec-kit.ts';
import { bucket, granted, keep, noReceipts, sending, stopAll } from './send-samples.spec-kit.ts';

afterEach(stopAll);

describe('a kept frame whose campaign has closed', () => {
  interface Question {
    readonly sampleIds: string[];
    readonly closed?: { sampleId: string; campaignId: string; announced: boolean }[];
  }
  const closedGrant = () => ({ granted: false, reason: 'campaign-closed', retryAfterMs: 60_000 });

  it('stays while rights are only not to be had now', async () => {
    const bus = new ToldBus({ 'node.grant': () => ({ granted: false, reason: 'budget-spent', retryAfterMs: 0 }) });
    const going = await sending(bus);
    keep(going, 'patient');
    await eventually(() => expect(bus.asked.map(({ type }) => type)).toEqual(['node.grant']));
    going.skip(5_000);
    going.duty.ring();
    await eventually(() => expect(bus.asked.map(({ type }) => type)).toEqual(['node.grant', 'node.grant']));
    expect(going.spool.atStage('kept', 9)).toHaveLength(1);
  });

  it('goes when the collector says that it is not wanted any more, and not before', async () => {
    let receipt: (question: Question) => unknown = ({ sampleIds }) => ({ ...noReceipts, unknown: sampleIds });
    const bus = new ToldBus({ 'node.grant': closedGrant, 'node.receipts': (question: Question) => receipt(question) });
    const going = await sending(bus);
    const ids = ['too late', 'later still'].map((text) => keep(going, text));
    const questions = () => bus.asked.filter(({ type }) => type === 'node.receipts').map(({ payload }) => payload as Question);
    await eventually(() => expect(questions().length).toBeGreaterThan(0));
    expect(questions()[0]?.closed).toEqual(
      expect.arrayContaining(ids.map((sampleId) => ({ sampleId, campaignId: 'base', announced: false }))),
    );
    expect(going.spool.stats()).toMatchObject({ items: 2, shed: 0 });
    receipt = ({ sampleIds }) => ({ ...noReceipts, declined: sampleIds });
    going.skip(60_000);
    await eventually(() => {
      going.duty.ring();
      expect(going.spool.stats()).toMatchObject({ items: 0, shed: 0 });
    });
  });

  it('stays with a collector that knows no such receipt, and is uploaded when the campaign is open after all', async () => {
    const store = await bucket();
    let grant: () => unknown = closedGrant;
    const bus = new ToldBus({
      'node.grant': () => grant(),
      'node.receipts': ({ sampleIds, closed = [] }: Question) =>
        closed.length > 0 ? { ...noReceipts, unknown: sampleIds } : { ...noReceipts, accepted: sampleIds },
    });
    const going = await sending(bus);
    keep(going, 'stays');
    await eventually(() => expect(bus.asked.map(({ type }) => type)).toEqual(['node.grant', 'node.receipts']));
    await eventually(() => expect(going.spool.atStage('kept', 9)).toHaveLength(1));
    grant = () => granted(store.endpoint);
    going.skip(60_000);
    await eventually(() => {
      going.duty.ring();
      expect(going.spool.stats()).toMatchObject({ items: 0, shed: 0 });
    });
    expect(store.keys).toHaveLength(1);
  });

  it('and that was announced is announced again until its receipt says what became of it', async () => {
    const store = await bucket();
    let isClosed = false;
    let receipt: (question: Question) => unknown = ({ sampleIds }) => ({ ...noReceipts, unknown: sampleIds });
    const bus = new ToldBus({
      'node.grant': () => (isClosed ? closedGrant() : granted(store.endpoint)),
      'node.receipts': (question: Question) => receipt(question),
    });
    const going = await sending(bus);
    const sampleId = keep(going, 'announced');
    await eventually(() => expect(bus.published).toHaveLength(1));
    isClosed = true;
    going.grants.forget('base');
    await eventually(() => {
      going.duty.ring();
      // The second half of the answers leads back to the upload, which is not to be had any more.
      expect(bus.published.length).toBeGreaterThanOrEqual(4);
    });
    expect(going.spool.stats()).toMatchObject({ items: 1, shed: 0 });
    expect(store.keys).toHaveLength(1);
    receipt = ({ sampleIds, closed = [] }) => {
      const sayable = closed.filter(({ announced }) => announced).map((claim) => claim.sampleId);
      return { ...noReceipts, declined: sayable, unknown: sampleIds.filter((id) => !sayable.includes(id)) };
    };
    await eventually(() => {
      going.duty.ring();
      expect(going.spool.stats().items).toBe(0);
    });
    const asked = bus.asked.filter(({ type }) => type === 'node.receipts').map(({ payload }) => (payload as Question).closed);
    expect(asked.at(-1)).toEqual([{ sampleId, campaignId: 'base', announced: true }]);
  });
});
