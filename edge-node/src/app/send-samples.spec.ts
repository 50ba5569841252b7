import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createSealingKeys, sealFor } from '@edgeloop/store/uploader';
import { eventually } from '@edgeloop/testkit';
import { pino } from 'pino';
import { SampleSpool } from '../adapters/spool/sample-spool.ts';
import { openSpool } from '../adapters/spool/spool-database.ts';
import { tempFolders } from '../adapters/temp-folder.spec-kit.ts';
import { ToldBus } from './bus.spec-kit.ts';
import { Grants } from './grants.ts';
import { SendSamples } from './send-samples.ts';
import { SettleSamples } from './settle-samples.ts';
import { REFUSED_RETRY_MS, UploadSamples } from './upload-samples.ts';

const folder = tempFolders();
const log = pino({ level: 'silent' });
const NODE = 'n1';
const own = createSealingKeys();
const collector = createSealingKeys();

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A store that takes every object once, and remembers it; what `refuses` names it answers with 400. */
async function bucket(refuses: (key: string) => boolean = () => false): Promise<{ endpoint: string; keys: string[]; refused: string[] }> {
  const keys: string[] = [];
  const refused: string[] = [];
  const answer = (key: string): number => {
    if (refuses(key)) return refused.push(key) && 400;
    return keys.includes(key) ? 412 : 200;
  };
  const server: Server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      const status = answer(request.url ?? '');
      if (status !== 400) keys.push(request.url ?? '');
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, keys, refused };
}

interface Rights {
  readonly forNode?: string;
  readonly campaignId?: string;
  readonly samplesLeft?: number;
}

function granted(endpoint: string, { forNode = NODE, campaignId = 'base', samplesLeft = 9 }: Rights = {}) {
  const credentials = { nodeId: forNode, endpoint, region: 'r', accessKeyId: 'k', secretAccessKey: 's', sessionToken: 't' };
  return {
    granted: true,
    bucket: 'samples',
    keyPrefix: `${NODE}/${campaignId}/`,
    expiresAt: '2026-01-01T00:00:00.000Z',
    samplesLeft,
    ...sealFor(own.publicKey, Buffer.from(JSON.stringify(credentials)), collector),
  };
}

async function sending(bus: ToldBus) {
  const { database } = openSpool(join(await folder(), 'spool.db'), 0);
  const spool = new SampleSpool(database, { bytesMax: 100_000, itemsMax: 300 });
  const clock = { now: () => Date.now() };
  let skippedMs = 0;
  const monotonicMs = (): number => performance.now() + skippedMs;
  const grants = new Grants({ bus, nodeId: NODE, sealing: own, clock, monotonicMs, log });
  const uploads = new UploadSamples({ spool, grants, monotonicMs, log });
  const receipts = new SettleSamples({ bus, nodeId: NODE, epoch: () => 'epoch-12345', spool, grants, log });
  const isEmpty = (): boolean => spool.stats().items === 0;
  const duty = new SendSamples({ bus, uploads, receipts, isEmpty, pollMs: 10, chance: () => 0, log });
  const stopping = new AbortController();
  const done = duty.run(stopping.signal);
  stops.push(async () => {
    stopping.abort();
    await done;
    database.close();
  });
  return { spool, duty, grants, skip: (ms: number) => void (skippedMs += ms) };
}

type Going = Awaited<ReturnType<typeof sending>>;

function keep({ spool, duty }: Going, text: string, { campaignId = 'base', value = 0.5 } = {}): string {
  const picture = Buffer.from(text);
  const sampleId = createHash('sha256').update(picture).digest('hex');
  const appended = spool.append({
    picture,
    value,
    keptAtMs: 0,
    facts: {
      sampleId,
      campaignId,
      capturedAt: '2026-01-01T00:00:00.000Z',
      picture: { width: 1, height: 1, brightness: 0, sharpness: 0, dhash: '0'.repeat(16) },
      model: null,
      why: { policyId: 'p', policyVersion: 1, rule: 'any', inclusionProbability: 1 },
      predictions: [],
    },
  });
  expect(appended).toBe('kept');
  duty.ring();
  return sampleId;
}

const noReceipts = { accepted: [], quarantined: [], unknown: [] };

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
