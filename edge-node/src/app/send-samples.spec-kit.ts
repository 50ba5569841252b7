import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { createSealingKeys, sealFor } from '@edgeloop/store/uploader';
import { pino } from 'pino';
import { SampleSpool } from '../adapters/spool/sample-spool.ts';
import { openSpool } from '../adapters/spool/spool-database.ts';
import { tempFolders } from '../adapters/temp-folder.spec-kit.ts';
import type { ToldBus } from './bus.spec-kit.ts';
import { Grants } from './grants.ts';
import { SendSamples } from './send-samples.ts';
import { SettleSamples } from './settle-samples.ts';
import { UploadSamples } from './upload-samples.ts';

const folder = tempFolders();
const log = pino({ level: 'silent' });
export const NODE = 'n1';
const own = createSealingKeys();
const collector = createSealingKeys();

const stops: (() => Promise<void>)[] = [];
/** Ends what a test has started; to be called after each. */
export async function stopAll(): Promise<void> {
  for (const stop of stops.splice(0)) await stop();
}

/** A store that takes every object once, and remembers it; what `refuses` names it answers with 400. */
export async function bucket(
  refuses: (key: string) => boolean = () => false,
): Promise<{ endpoint: string; keys: string[]; refused: string[] }> {
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

export function granted(endpoint: string, { forNode = NODE, campaignId = 'base', samplesLeft = 9 }: Rights = {}) {
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

export async function sending(bus: ToldBus) {
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
  /** The disk gives other bytes than it was given. */
  const damage = (sampleId: string): void =>
    void database.prepare('UPDATE samples SET picture = ? WHERE sample_id = ?').run(Buffer.from('rot'), sampleId);
  return { spool, duty, grants, damage, skip: (ms: number) => void (skippedMs += ms) };
}

export type Going = Awaited<ReturnType<typeof sending>>;

export function keep({ spool, duty }: Going, text: string, { campaignId = 'base', value = 0.5 } = {}): string {
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

export const noReceipts = { accepted: [], quarantined: [], unknown: [] };
