import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Stack } from '@edgeloop/cli';
import { NodeDesiredSet, NodeHeartbeat, NodeReport, PackageBuilt, ReleasePublished, RolloutHalted } from '@edgeloop/contracts';
import type { PayloadOf } from '@edgeloop/contracts';
import { StoreConfig, readConfig } from '@edgeloop/runtime';
import { hexOf, storeFromConfig } from '@edgeloop/store';
import { engineEnvironment, eventually } from '@edgeloop/testkit';
import { BlockSite, NODES, writeFrames } from './bad-releases/block-site.ts';

// One stack, releases one after the other: three real nodes, real engines, every service its own process.
let folder: string;
let stack: Stack;
let site: BlockSite;
/** Every digest that any node was ever seen serving frames with. */
const served = new Map<string, Set<string>>();

async function history<T>(stream: 'LOOP' | 'NODES', type: string): Promise<T[]> {
  const found: T[] = [];
  for await (const each of stack.bus.history(stream)) if (each.contract.type === type) found.push(each.payload as T);
  return found;
}

async function released(releaseId: string): Promise<PayloadOf<typeof ReleasePublished>> {
  const all = await history<PayloadOf<typeof ReleasePublished>>('LOOP', ReleasePublished.type);
  return all.find((release) => release.releaseId === releaseId) as PayloadOf<typeof ReleasePublished>;
}

/** Halted in the first wave, one node ever offered it, and every node runs the proven release again. */
async function expectHalted(rolloutId: string, releaseId: string): Promise<PayloadOf<typeof RolloutHalted>> {
  expect(await site.untilEnded(rolloutId)).toMatchObject({ status: 'rolled-back', wave: 0 });
  const offers = await history<PayloadOf<typeof NodeDesiredSet>>('LOOP', NodeDesiredSet.type);
  expect(new Set(offers.filter((offer) => offer.releaseId === releaseId).map((offer) => offer.nodeId)).size).toBe(1);
  await eventually(async () => expect((await site.nodes()).map((node) => node.running?.releaseId)).toEqual(NODES.map(() => 'blocks-v1')), {
    deadlineMs: 60_000,
  });
  const halts = await history<PayloadOf<typeof RolloutHalted>>('LOOP', RolloutHalted.type);
  return halts.find((halt) => halt.rolloutId === rolloutId) as PayloadOf<typeof RolloutHalted>;
}

beforeAll(async () => {
  Object.assign(process.env, engineEnvironment());
  folder = await mkdtemp(join(tmpdir(), 'edgeloop-e2e-'));
  await writeFrames(join(folder, 'frames'), 24);
  stack = await Stack.start({ dataDir: join(folder, 'stack'), logLevel: 'info', services: { rollout: { ROLLOUT_AUTO: 'off' } } });
  site = new BlockSite(stack, storeFromConfig(readConfig('spec', StoreConfig, { ...stack.environment })), join(folder, 'frames'));
  stack.bus.onSignal(NodeHeartbeat, ({ nodeId, running }) => {
    if (running) served.set(nodeId, (served.get(nodeId) ?? new Set()).add(running.modelDigest));
  });
  await site.release('v1', {});
  await site.startNodes();
  expect(await site.untilEnded(await site.rollOut('blocks-v1'))).toMatchObject({ status: 'completed' });
}, 300_000);

afterAll(async () => {
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

describe('a bad release', () => {
  it('whose bytes were damaged after it was published never serves a frame', async () => {
    const releaseId = await site.release('v2', { ballast: 1 });
    const release = await released(releaseId);
    const key = `targets/blocks/${hexOf(release.packageDigest)}.blocks-v2.zip`;
    const bytes = Buffer.from(await site.store.read({ bucket: 'releases', key }));
    bytes.writeUInt8((bytes.at(-2000) ?? 0) ^ 0xff, bytes.byteLength - 2000);
    await site.store.put({ bucket: 'releases', key }, bytes, { mode: 'replace' });
    const halt = await expectHalted(await site.rollOut(releaseId), releaseId);
    expect(halt.failures[0]?.reason).toMatch(/digest|hash|corrupt/);
    for (const digests of served.values()) expect(digests).not.toContain(release.modelDigest);
  }, 300_000);

  it('whose weights are not those of its golden vectors never serves a frame, though every signature is right', async () => {
    const { archive, manifest, model, digest } = await site.packageWithForeignGoldens('v3');
    const packageId = `pkg-${hexOf(archive.digest).slice(0, 16)}`;
    await stack.bus.publish(PackageBuilt, { packageId, runId: 'run-v3', archive, model, manifest }, { id: `${packageId}-built` });
    const releaseId = await site.untilReleased('v3');
    const halt = await expectHalted(await site.rollOut(releaseId), releaseId);
    expect(halt.failures[0]?.reason).toContain('golden');
    const reports = await history<PayloadOf<typeof NodeReport>>('NODES', NodeReport.type);
    expect(reports.filter((report) => report.releaseId === releaseId && report.outcome === 'committed')).toEqual([]);
    for (const digests of served.values()) expect(digests).not.toContain(digest);
  }, 300_000);

  it('that loads but sees nothing halts in the first wave', async () => {
    const releaseId = await site.release('v4', { fault: 'blind' });
    const halt = await expectHalted(await site.rollOut(releaseId), releaseId);
    expect(halt.failures[0]?.reason).toContain('sees-nothing');
  }, 300_000);

  it('does not keep the next good one from the fleet', async () => {
    const releaseId = await site.release('v5', { ballast: 3 });
    expect(await site.untilEnded(await site.rollOut(releaseId))).toMatchObject({ status: 'completed' });
    await eventually(async () => expect((await site.nodes()).map((node) => node.running?.releaseId)).toEqual(NODES.map(() => releaseId)), {
      deadlineMs: 60_000,
    });
  }, 300_000);
});
