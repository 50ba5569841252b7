import type { MessageContext } from '@edgeloop/bus';
import type { SampleManifest } from '@edgeloop/contracts';
import { createLogger } from '@edgeloop/runtime';
import { MemoryObjectStore, sampleKey, sha256Hex, StoreUnavailableError } from '@edgeloop/store';
import { beforeEach, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { DecoderFailedError, ObjectNotYetThereError } from '../domain/errors.ts';
import { EMPTY_BOOK } from '../domain/campaign.ts';
import type { LedgerReceipt } from '../domain/receipt.ts';
import type { Decoded, SampleLedger } from '../ports.ts';
import { AcceptManifest, DECODER_TRIES_MAX, OBJECT_TRIES_MAX } from './accept-manifest.ts';
import { answerReceipts } from './answer-receipts.ts';

const picture = await sharp({ create: { width: 64, height: 48, channels: 3, background: '#345' } })
  .jpeg()
  .toBuffer();
const log = createLogger('spec', 'error');

/** A ledger in memory, with the rules of the real one. */
class MemoryLedger implements SampleLedger {
  readonly accepted = new Map<string, SampleManifest>();
  readonly refused = new Map<string, { cause: string; reason: string }>();
  async accept(nodeId: string, manifest: SampleManifest): Promise<boolean> {
    const fresh = !this.accepted.has(`${nodeId}/${manifest.sampleId}`);
    this.accepted.set(`${nodeId}/${manifest.sampleId}`, manifest);
    return fresh;
  }
  async quarantine(
    nodeId: string,
    manifest: SampleManifest,
    { rejection }: { rejection: { cause: string; reason: string } },
  ): Promise<void> {
    this.refused.set(`${nodeId}/${manifest.sampleId}`, rejection);
  }
  async receiptOf(nodeId: string, sampleId: string): Promise<LedgerReceipt> {
    if (this.accepted.has(`${nodeId}/${sampleId}`)) return { kind: 'accepted' };
    const refused = this.refused.get(`${nodeId}/${sampleId}`);
    return refused === undefined ? { kind: 'unknown' } : { kind: 'quarantined', ...refused };
  }
}

let store: MemoryObjectStore;
let ledger: MemoryLedger;
let redelivered: number;
let decoding: () => Promise<Decoded>;
let service: AcceptManifest;

beforeEach(() => {
  store = new MemoryObjectStore();
  ledger = new MemoryLedger();
  redelivered = 0;
  decoding = async () => ({ ok: true, width: 64, height: 48 });
  service = new AcceptManifest({
    store,
    ledger,
    decoder: { decode: () => decoding(), close: async () => undefined },
    tally: { add: () => void redelivered++, total: async () => redelivered },
    limits: { bucket: 'samples', objectBytesMax: 100_000, pixelsMax: 10_000 },
    log,
  });
});

function manifestOf(bytes: Uint8Array, changes: Partial<SampleManifest> = {}): SampleManifest {
  const sampleId = sha256Hex(bytes);
  return {
    nodeId: 'n1',
    epoch: 'epoch-one',
    sequence: 1,
    sampleId,
    object: { bucket: 'samples', key: sampleKey('n1', 'base', sampleId), digest: `sha256:${sampleId}`, bytes: bytes.length },
    campaignId: 'base',
    capturedAt: '2026-11-23T00:00:00.000Z',
    picture: { width: 64, height: 48, brightness: 0.5, sharpness: 1, dhash: '0'.repeat(16) },
    model: null,
    why: { policyId: 'base', policyVersion: 1, rule: 'random', inclusionProbability: 0.1 },
    predictions: [],
    ...changes,
  };
}

function delivery(deliveries = 1, nodeId = 'n1'): MessageContext {
  return {
    id: 'm1',
    type: 'node.manifest.v1',
    subject: `node.v1.${nodeId}.manifest`,
    tokens: { nodeId },
    correlationId: 'c',
    causationId: undefined,
    traceparent: undefined,
    sentAt: undefined,
    stream: 'NODES',
    streamSequence: 1,
    deliveries,
    signal: new AbortController().signal,
  };
}

async function stored(bytes: Uint8Array): Promise<SampleManifest> {
  const manifest = manifestOf(bytes);
  await store.put(manifest.object, bytes);
  return manifest;
}

function receiptsOf({ sampleId, campaignId }: SampleManifest, closed?: { announced: boolean }): ReturnType<typeof answerReceipts> {
  const claims = closed === undefined ? [] : [{ sampleId, campaignId, ...closed }];
  const campaigns = { current: async () => EMPTY_BOOK };
  return answerReceipts({ ledger, campaigns }, 'n1', { sampleIds: [sampleId], closed: claims });
}

async function causeOf(manifest: SampleManifest, context = delivery()): Promise<string | undefined> {
  await service.handle(manifest, context);
  return ledger.refused.get(`n1/${manifest.sampleId}`)?.cause;
}

describe('a manifest', () => {
  it('becomes one ledger entry, however often it comes', async () => {
    const manifest = await stored(picture);
    await service.handle(manifest, delivery());
    await service.handle(manifest, delivery(2));
    await service.handle(manifest, delivery());
    expect(ledger.accepted.size).toBe(1);
    expect(redelivered).toBe(2);
  });

  it('is believed about nothing that the bus does not vouch for', async () => {
    const manifest = await stored(picture);
    await service.handle(manifest, delivery(1, 'n2'));
    expect(ledger.refused.get(`n2/${manifest.sampleId}`)?.cause).toBe('wrong-key');
    expect(ledger.accepted.size).toBe(0);
  });

  it.each([
    ['wrong-bucket', { bucket: 'releases' }],
    ['wrong-key', { key: 'n1/other/x.jpg' }],
    ['wrong-digest', { digest: `sha256:${'0'.repeat(64)}` }],
    ['too-large', { bytes: 100_001 }],
    ['wrong-size', { bytes: picture.length + 1 }],
  ])('is refused as %s', async (cause, change) => {
    const manifest = await stored(picture);
    expect(await causeOf({ ...manifest, object: { ...manifest.object, ...change } })).toBe(cause);
  });

  it('is refused when other bytes lie under its hash', async () => {
    const manifest = manifestOf(picture);
    await store.put(manifest.object, Buffer.alloc(picture.length, 1));
    expect(await causeOf(manifest)).toBe('wrong-digest');
  });

  it('is refused when the object is larger than it may be, without reading it all', async () => {
    const manifest = manifestOf(picture);
    await store.put(manifest.object, Buffer.alloc(200_000));
    expect(await causeOf(manifest)).toBe('too-large');
  });

  it('is refused when the picture is no picture, lies about its size, or does not decode', async () => {
    expect(await causeOf(await stored(Buffer.from('hello')))).toBe('no-picture');
    const manifest = await stored(picture);
    expect(await causeOf({ ...manifest, picture: { ...manifest.picture, width: 63 } })).toBe('wrong-dimensions');
    ledger.refused.clear();
    decoding = async () => ({ ok: false, reason: 'premature end' });
    expect(await causeOf(manifest)).toBe('undecodable');
  });

  it('may count width and height the other way round', async () => {
    const manifest = await stored(picture);
    await service.handle({ ...manifest, picture: { ...manifest.picture, width: 48, height: 64 } }, delivery());
    expect(ledger.accepted.size).toBe(1);
  });

  it('waits for its object, up to a limit, and can be mended after that', async () => {
    const manifest = manifestOf(picture);
    await expect(service.handle(manifest, delivery(OBJECT_TRIES_MAX - 1))).rejects.toMatchObject({
      name: ObjectNotYetThereError.name,
      retryable: true,
    });
    expect(await causeOf(manifest, delivery(OBJECT_TRIES_MAX))).toBe('object-missing');
    expect(await receiptsOf(manifest)).toMatchObject({ unknown: [manifest.sampleId] });
    await store.put(manifest.object, picture);
    await service.handle(manifest, delivery());
    expect(await receiptsOf(manifest)).toMatchObject({ accepted: [manifest.sampleId], quarantined: [] });
  });

  it('whose object is missing is declined when its campaign has closed, not before it was looked at', async () => {
    const manifest = manifestOf(picture, {
      campaignId: 'drift-1',
      object: { ...manifestOf(picture).object, key: sampleKey('n1', 'drift-1', sha256Hex(picture)) },
    });
    expect(await receiptsOf(manifest, { announced: true })).toMatchObject({ unknown: [manifest.sampleId], declined: [] });
    expect(await causeOf(manifest, delivery(OBJECT_TRIES_MAX))).toBe('object-missing');
    expect(await receiptsOf(manifest, { announced: true })).toMatchObject({ unknown: [], declined: [manifest.sampleId] });
    await store.put(manifest.object, picture);
    await service.handle(manifest, delivery());
    expect(await receiptsOf(manifest, { announced: true })).toMatchObject({ accepted: [manifest.sampleId], declined: [] });
  });

  it('that was refused for good is not looked at again', async () => {
    const manifest = manifestOf(picture);
    await store.put(manifest.object, Buffer.alloc(picture.length, 1));
    await service.handle(manifest, delivery());
    await store.put(manifest.object, picture, { mode: 'replace' });
    await service.handle(manifest, delivery());
    expect(ledger.accepted.size).toBe(0);
    expect(await receiptsOf(manifest)).toMatchObject({ quarantined: [{ sampleId: manifest.sampleId }] });
  });

  it('is tried again on a failing decoder, then put aside', async () => {
    const manifest = await stored(picture);
    decoding = () => Promise.reject(new DecoderFailedError('died'));
    await expect(service.handle(manifest, delivery(DECODER_TRIES_MAX - 1))).rejects.toMatchObject({ name: DecoderFailedError.name });
    expect(await causeOf(manifest, delivery(DECODER_TRIES_MAX))).toBe('decoder-stuck');
  });

  it('is never refused because the store is away', async () => {
    const manifest = await stored(picture);
    store.read = () => Promise.reject(new StoreUnavailableError(manifest.object, 'ECONNREFUSED', 6));
    await expect(service.handle(manifest, delivery(7))).rejects.toMatchObject({ name: StoreUnavailableError.name });
    expect(ledger.refused.size).toBe(0);
  });
});
