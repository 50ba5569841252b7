import type { Bus } from '@edgeloop/bus';
import { collectorService } from '@edgeloop/collector';
import {
  AskCampaigns,
  AskSamples,
  AskStartCampaign,
  CampaignClosed,
  CampaignStarted,
  NodeDrifted,
  NodeSettled,
  SampleAccepted,
  SampleQuarantined,
  type SampleManifest,
} from '@edgeloop/contracts';
import { startService, type RunningService } from '@edgeloop/nest-bus';
import { StoreConfig } from '@edgeloop/runtime';
import { openSealed, storeFromConfig, UnsealableError, type ObjectStore } from '@edgeloop/store';
import { createSealingKeys } from '@edgeloop/store/uploader';
import { eventually, testEngines, type TestEngines } from '@edgeloop/testkit';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CameraNode, pictureOf } from './collection/camera-node.ts';

let suite: TestEngines;
let service: RunningService;
let bus: Bus;
let store: ObjectStore;
let n1: CameraNode;
let n2: CameraNode;

function environment(): NodeJS.ProcessEnv {
  const campaign = { samplesTotal: 3, cooldownMs: 0, deadlineMs: 600_000 };
  return { ...suite.environment, LOG_LEVEL: 'error', COLLECTOR_TICK_MS: '100', COLLECTOR_CAMPAIGN: JSON.stringify(campaign) };
}

beforeAll(async () => {
  suite = await testEngines({ store: true });
  store = storeFromConfig(StoreConfig.parse(suite.environment));
  service = await startService(collectorService, environment());
  bus = service.bus;
  [n1, n2] = await Promise.all([CameraNode.connect(suite, 'n1'), CameraNode.connect(suite, 'n2')]);
}, 120_000);

afterAll(async () => {
  await n1?.bus.close();
  await n2?.bus.close();
  await service?.stop();
  await suite?.stop();
}, 60_000);

async function acceptedInLedger(): Promise<string[]> {
  const found: string[] = [];
  for await (const { payload } of bus.history('SAMPLES')) found.push((payload as { sampleId: string }).sampleId);
  return found;
}

async function quarantineCause(node: CameraNode, sampleId: string): Promise<string | undefined> {
  return (await bus.lastOf(SampleQuarantined, { nodeId: node.nodeId, sampleId }))?.payload.cause;
}

async function expectAccepted(node: CameraNode, ...manifests: SampleManifest[]): Promise<void> {
  const ids = manifests.map(({ sampleId }) => sampleId);
  await eventually(async () => expect((await node.receipts(...ids)).accepted).toEqual(ids), { deadlineMs: 30_000 });
}

describe('upload rights', () => {
  it('come sealed to the node that asked, and end at its prefix', async () => {
    const answer = await n1.askGrant();
    if (!answer.granted) throw new Error(answer.reason);
    expect(answer).toMatchObject({ bucket: 'samples', keyPrefix: 'n1/base/' });
    expect(JSON.stringify(answer)).not.toContain('secretAccessKey');
    expect(() => openSealed(answer, createSealingKeys())).toThrow(UnsealableError);
    const plain = JSON.parse(Buffer.from(openSealed(answer, n1.keys)).toString()) as object;
    expect(plain).toMatchObject({ nodeId: 'n1', sessionToken: expect.any(String) });
  });

  it('are not given for a campaign that is not open, nor for somebody else', async () => {
    expect(await n1.askGrant({ campaignId: 'never' })).toMatchObject({ granted: false, reason: 'campaign-closed' });
    await expect(n1.askGrant({ nodeId: 'n2' })).rejects.toMatchObject({ name: expect.stringMatching(/Forbidden|NoResponder|Timeout/) });
  });

  it('cannot be sealed to something that is no key', async () => {
    await expect(n1.askGrant({ sealTo: 'X-no-key-at-all' })).rejects.toMatchObject({ name: 'AskRefusedError', code: 'bad-key' });
  });
});

describe('samples', () => {
  it('are in the ledger once, however often the node says so', async () => {
    const manifest = await n1.deliver(await pictureOf(1));
    await expectAccepted(n1, manifest);
    for (const again of [1, 2, 3]) await n1.announce(manifest, again);
    await n1.announce(n1.manifestOf(await pictureOf(1)));
    await eventually(async () => expect((await bus.ask(AskSamples, {})).redelivered).toBeGreaterThanOrEqual(4));
    expect((await acceptedInLedger()).filter((id) => id === manifest.sampleId)).toHaveLength(1);
    expect(await bus.ask(AskSamples, {})).toMatchObject({ accepted: 1, quarantined: 0, samples: [{ nodeId: 'n1', rule: 'dark' }] });
  });

  it('wait for their object', async () => {
    const bytes = await pictureOf(2);
    const manifest = n1.manifestOf(bytes);
    await n1.announce(manifest);
    expect((await n1.receipts(manifest.sampleId)).unknown).toEqual([manifest.sampleId]);
    expect(await n1.upload(bytes)).toMatchObject({ kind: 'stored' });
    await expectAccepted(n1, manifest);
  });

  it('are put aside with the cause when they are not what they claim', async () => {
    const good = await pictureOf(3);
    const truncated = good.subarray(0, good.length - 20);
    const corrupt = Buffer.concat([good.subarray(0, good.length / 2), Buffer.from([0xff, 0xd9])]);
    const polyglot = Buffer.concat([good, Buffer.from('PK\u0003\u0004 hidden')]);
    const bomb = Buffer.from(await (await import('sharp')).default(good).png().toBuffer());
    bomb.writeUInt32BE(60_000, 16);
    bomb.writeUInt32BE(60_000, 20);
    const expected: [Buffer, string][] = [
      [truncated, 'no-picture'],
      [corrupt, 'undecodable'],
      [polyglot, 'trailing-bytes'],
      [bomb, 'too-many-pixels'],
      [Buffer.from('GIF89a and so on'), 'no-picture'],
    ];
    for (const [bytes, cause] of expected) {
      const manifest = await n2.deliver(bytes);
      await eventually(async () => expect(await quarantineCause(n2, manifest.sampleId)).toBe(cause), { deadlineMs: 30_000 });
      expect(await n2.receipts(manifest.sampleId)).toMatchObject({ accepted: [], quarantined: [{ sampleId: manifest.sampleId }] });
    }
    expect((await bus.ask(AskSamples, {})).quarantined).toBe(expected.length);
  });

  it('are put aside when other bytes lie under their hash, and when they point elsewhere', async () => {
    const [claimed, other] = [await pictureOf(4), await pictureOf(5)];
    const swapped = n2.manifestOf(claimed);
    await store.put({ bucket: 'samples', key: swapped.object.key }, other);
    await n2.announce({ ...swapped, object: { ...swapped.object, bytes: other.length } });
    await eventually(async () => expect(await quarantineCause(n2, swapped.sampleId)).toBe('wrong-digest'));
    const foreign = n2.manifestOf(await pictureOf(6));
    await n2.announce({ ...foreign, object: { ...foreign.object, key: foreign.object.key.replace('n2/', 'n1/') } });
    await eventually(async () => expect(await quarantineCause(n2, foreign.sampleId)).toBe('wrong-key'));
  });

  it('survive a collector that is stopped and started in between', async () => {
    const before = await n1.deliver(await pictureOf(7));
    await expectAccepted(n1, before);
    await service.stop();
    const bytes = await pictureOf(8);
    const meanwhile = n1.manifestOf(bytes);
    await store.put({ bucket: 'samples', key: meanwhile.object.key }, bytes);
    await n1.announce(meanwhile);
    service = await startService(collectorService, environment());
    bus = service.bus;
    await expectAccepted(n1, before, meanwhile);
    const ledger = await acceptedInLedger();
    expect(new Set(ledger).size).toBe(ledger.length);
    expect((await bus.ask(AskSamples, {})).accepted).toBe(ledger.length);
  });
});

describe('campaigns', () => {
  const driftOf = (nodeId: string, at: string) => ({
    nodeId,
    releaseId: null,
    at,
    measures: [{ measure: 'brightness' as const, baseline: 0.5, spread: 0.02, now: 0.13, distance: 18 }],
    windows: { baseline: 20, recent: 5 },
  });

  it('start with the base campaign', async () => {
    const { campaigns } = await bus.ask(AskCampaigns, {});
    expect(campaigns).toEqual([expect.objectContaining({ campaignId: 'base', status: 'open', policyVersion: 1, samplesTotal: null })]);
    expect(await bus.lastOf(CampaignStarted, { campaignId: 'base' })).toMatchObject({ payload: { policy: { version: 1 } } });
  });

  it('answer drift, take what they wanted from the drifted nodes, and close; what comes late is taken too', async () => {
    const at = new Date().toISOString();
    await bus.publish(NodeDrifted, driftOf('n1', at), { id: 'drift-n1' });
    const campaignId = await eventually(async () => {
      const open = (await bus.ask(AskCampaigns, {})).campaigns.find((each) => each.campaignId.startsWith('drift-'));
      expect(open).toMatchObject({ status: 'open', samplesTotal: 3, reason: expect.stringContaining('brightness 0.5 -> 0.13') });
      return String(open?.campaignId);
    });
    n1.campaignId = campaignId;
    n2.campaignId = campaignId;
    expect(await n2.askGrant()).toMatchObject({ granted: false, reason: 'node-unknown' });
    await bus.publish(NodeDrifted, driftOf('n2', at), { id: 'drift-n2' });
    await eventually(async () => expect(await n2.askGrant()).toMatchObject({ granted: true, samplesLeft: 3 }));
    const late = await pictureOf(13);
    expect(await n2.upload(late)).toMatchObject({ kind: 'stored' });
    const taken = [await n1.deliver(await pictureOf(10)), await n1.deliver(await pictureOf(11)), await n1.deliver(await pictureOf(12))];
    await expectAccepted(n1, ...taken);
    await eventually(async () =>
      expect(await bus.lastOf(CampaignClosed, { campaignId })).toMatchObject({ payload: { outcome: 'full', accepted: 3 } }),
    );
    expect(await n1.askGrant()).toMatchObject({ granted: false, reason: 'campaign-closed' });
    const lateManifest = n2.manifestOf(late);
    expect(await n2.receiptAfterClose(lateManifest.sampleId, true)).toMatchObject({ unknown: [lateManifest.sampleId], declined: [] });
    await n2.announce(lateManifest);
    await expectAccepted(n2, lateManifest);
    expect(await n2.receiptAfterClose(lateManifest.sampleId, false)).toMatchObject({ accepted: [lateManifest.sampleId], declined: [] });
    const never = n2.manifestOf(await pictureOf(14));
    expect(await n2.receiptAfterClose(never.sampleId, false)).toMatchObject({ unknown: [], declined: [never.sampleId] });
    expect(await bus.lastOf(SampleAccepted, { nodeId: 'n2', sampleId: lateManifest.sampleId })).toBeDefined();
    const { campaigns } = await bus.ask(AskCampaigns, {});
    expect(campaigns.find((each) => each.campaignId === campaignId)).toMatchObject({ status: 'closed', accepted: 4 });
    for (const nodeId of ['n1', 'n2'])
      await bus.publish(
        NodeSettled,
        { nodeId, releaseId: null, at: new Date().toISOString(), reason: 'spec' },
        { id: `settled-${nodeId}` },
      );
  });

  it('can be started by hand', async () => {
    const policy = { policyId: 'mine', rules: [], nearDuplicateBits: 0, samplesMax: null };
    const { campaignId } = await bus.ask(AskStartCampaign, { reason: 'spec', policy, nodes: { all: true }, samplesTotal: 5, lastsMs: 1 });
    await eventually(async () =>
      expect(await bus.lastOf(CampaignClosed, { campaignId })).toMatchObject({ payload: { outcome: 'deadline', accepted: 0 } }),
    );
  });
});
