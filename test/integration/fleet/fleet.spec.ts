import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CampaignClosed, CampaignStarted, NodeDesiredSet, NodeEnrolled, NodeSync, RolloutAssigned } from '@edgeloop/contracts';
import type { RolloutRelease, SamplingPolicy } from '@edgeloop/contracts';
import { connectNode } from '@edgeloop/bus';
import { nodeUserJwt } from '@edgeloop/trust';
import { eventually } from '@edgeloop/testkit';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FleetLab, LAB_START_MS, PATIENCE } from '../rollout/fleet-lab.ts';
import { askToJoin, newNodeKey } from '../rollout/simulated-node.ts';

const policy = (policyId: string, version: number): SamplingPolicy => ({
  policyId,
  version,
  rules: [],
  nearDuplicateBits: 4,
  samplesMax: null,
});
const release = (version: string): RolloutRelease => ({
  releaseId: `vest-${version}`,
  name: 'vest',
  version,
  targetPath: `vest/vest-${version}.zip`,
  packageDigest: `sha256:${'a'.repeat(64)}`,
  packageBytes: 10,
  modelDigest: `sha256:${version.slice(-1).repeat(64)}`,
});

describe('the fleet service', () => {
  let lab: FleetLab;

  beforeAll(async () => {
    lab = await FleetLab.open();
    await lab.startFleet();
  }, LAB_START_MS);
  afterAll(() => lab.close());

  const assign = (assignmentId: string, version: string | null, nodeIds: string[], rolloutId = 'r1') =>
    lab.bus.publish(
      RolloutAssigned,
      { rolloutId, assignmentId, kind: 'offer', release: version === null ? null : release(version), nodeIds },
      { id: `${assignmentId}.${crypto.randomUUID()}` },
    );
  const viewOf = async (nodeId: string) => (await lab.views()).find((view) => view.nodeId === nodeId);

  it('lets nobody in before there is a trust root to give', async () => {
    const answer = await askToJoin(await lab.invite(), 'cam-0', newNodeKey());
    expect(answer).toMatchObject({ enrolled: false, reason: 'not-ready' });
    expect(await lab.views()).toEqual([]);
  });

  it('a token is good for one node; the same node asking again gets the same answer', async () => {
    await lab.publishTrustRoot();
    const [token, key] = [await lab.invite(), newNodeKey()];
    const first = await askToJoin(token, 'cam-1', key);
    expect(first).toMatchObject({ enrolled: true, nodeId: 'cam-1' });
    expect(await askToJoin(token, 'cam-1', key)).toEqual(first);
    expect(await askToJoin(token, 'cam-1b', newNodeKey())).toMatchObject({ enrolled: false, reason: 'token-used' });
    expect(await askToJoin(await lab.invite(), 'cam-1', newNodeKey())).toMatchObject({ enrolled: false, reason: 'node-exists' });
    const joined = [];
    for await (const { contract } of lab.bus.history('LOOP', { subject: 'fleet.v1.cam-1.*' })) joined.push(contract.type);
    expect(joined.toSorted()).toEqual([NodeDesiredSet.type, NodeEnrolled.type]);
  });

  it('refuses wrong, expired and foreign tokens in words', async () => {
    const wrong = { ...(await lab.invite()), secret: 'x'.repeat(43) };
    expect(await askToJoin(wrong, 'cam-2', newNodeKey())).toMatchObject({ reason: 'token-unknown' });
    const unknown = { ...(await lab.invite()), inviteId: 'invite-0000000000000000' };
    expect(await askToJoin(unknown, 'cam-2', newNodeKey())).toMatchObject({ reason: 'token-unknown' });
    const short = await lab.invite({ validForMs: 1 });
    await eventually(
      async () => expect(await askToJoin(short, 'cam-2', newNodeKey())).toMatchObject({ reason: 'token-expired' }),
      PATIENCE,
    );
    expect(await askToJoin(await lab.invite({ nodeId: 'cam-9' }), 'cam-2', newNodeKey())).toMatchObject({
      enrolled: false,
      say: expect.stringContaining('cam-9'),
    });
  });

  it('of many that race for one token exactly one joins', async () => {
    const token = await lab.invite();
    const answers = await Promise.all([1, 2, 3, 4].map((index) => askToJoin(token, `racer-${index}`, newNodeKey())));
    expect(answers.filter(({ enrolled }) => enrolled)).toHaveLength(1);
    expect((await lab.views()).filter(({ nodeId }) => nodeId.startsWith('racer'))).toHaveLength(1);
  });

  it('a node with its own rights cannot ask for another, and a stranger is told so', async () => {
    const node = await lab.join('cam-3');
    await node.bus.ready(10_000);
    await expect(node.bus.ask(NodeSync, { nodeId: 'cam-1', haveGeneration: 0 }, { timeoutMs: 1000 })).rejects.toThrow();
    const { NATS_URL } = lab.engines.environment;
    const key = newNodeKey();
    const jwt = await nodeUserJwt({ nodeId: 'stranger', publicKey: key.publicKey, signingKey: await lab.engines.signingKey() });
    const stranger = connectNode({ url: NATS_URL as string, nodeId: 'stranger', creds: { jwt, seed: key.seed } });
    await stranger.ready(10_000);
    await expect(stranger.ask(NodeSync, { nodeId: 'stranger', haveGeneration: 0 })).rejects.toMatchObject({ code: 'node-unknown' });
    await stranger.close();
  });

  it('signs with a key of its own that nobody else can read, the same after a restart', async () => {
    const path = join(lab.environment['EDGELOOP_DATA_DIR'] as string, 'fleet', 'assignment.key');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const node = await lab.join('cam-4');
    await eventually(() => expect(node.accepted?.generation).toBe(1), PATIENCE);
    const [fleet] = lab.services;
    if (fleet !== undefined) await lab.crash(fleet);
    await lab.startFleet();
    await assign('a-restart', 'v1', ['cam-4']);
    await eventually(() => expect(node.accepted?.release?.releaseId).toBe('vest-v1'), PATIENCE);
  });

  it('hands out links that read the trust metadata and nothing that is not there', async () => {
    const node = lab.nodes.get('cam-4');
    await eventually(
      () => expect(Object.keys(node?.lastLinks ?? {})).toContain('targets/vest/' + 'a'.repeat(64) + '.vest-v1.zip'),
      PATIENCE,
    );
    const links = node?.lastLinks ?? {};
    for (const name of ['metadata/1.root.json', 'metadata/timestamp.json', 'metadata/1.snapshot.json', 'metadata/1.targets.json']) {
      const answer = await fetch(links[name] ?? '');
      expect([name, answer.status]).toEqual([name, 200]);
      expect(await answer.json()).toHaveProperty('signed');
    }
    expect((await fetch(links[`targets/vest/${'a'.repeat(64)}.vest-v1.zip`] ?? '')).status).toBe(404);
  });

  it('an assignment that is told again, or an older one told late, changes nothing', async () => {
    await assign('a-1', 'v2', ['cam-4'], 'r2');
    await assign('a-2', 'v3', ['cam-4'], 'r3');
    await eventually(async () => expect(await viewOf('cam-4')).toMatchObject({ desired: { releaseId: 'vest-v3' } }), PATIENCE);
    const { generation } = (await viewOf('cam-4'))?.desired ?? {};
    await assign('a-1', 'v2', ['cam-4'], 'r2');
    await assign('a-2', 'v3', ['cam-4', 'nobody'], 'r3');
    await assign('a-3', 'v3', ['cam-3'], 'r3');
    await eventually(async () => expect(await viewOf('cam-3')).toMatchObject({ desired: { releaseId: 'vest-v3' } }), PATIENCE);
    expect((await viewOf('cam-4'))?.desired).toMatchObject({ releaseId: 'vest-v3', generation });
  });

  it('campaigns: the base for all, the most recent open one wins, closing it brings the base back, late joiners too', async () => {
    const start = (campaignId: string, found: SamplingPolicy, nodes: { all: true } | { nodeIds: string[] } = { all: true }) =>
      lab.bus.publish(
        CampaignStarted,
        { campaignId, reason: 'test', policy: found, nodes, samplesTotal: null, deadline: null },
        { id: `${campaignId}.started` },
      );
    const collects = (nodeId: string, campaignId: string, policyId: string): Promise<void> =>
      eventually(() => expect(lab.nodes.get(nodeId)?.accepted).toMatchObject({ campaignId, policy: { policyId } }), PATIENCE);
    await start('base', policy('usual', 1));
    await collects('cam-3', 'base', 'usual');
    await start('night', policy('dark', 1), { nodeIds: ['cam-4', 'cam-6'] });
    await collects('cam-4', 'night', 'dark');
    expect(lab.nodes.get('cam-3')?.accepted?.campaignId).toBe('base');
    await lab.join('cam-6');
    await collects('cam-6', 'night', 'dark');
    await lab.bus.publish(CampaignClosed, { campaignId: 'night', outcome: 'full', accepted: 9 }, { id: 'night.closed' });
    await collects('cam-4', 'base', 'usual');
    await collects('cam-6', 'base', 'usual');
  });

  it('a node that runs something else than it committed to is shown as fallen back', async () => {
    lab.manners.set('vest-v7', 'falls-back');
    await assign('a-7', 'v7', ['cam-3'], 'r7');
    await eventually(
      async () => expect(await viewOf('cam-3')).toMatchObject({ desired: { releaseId: 'vest-v7' }, reported: { outcome: 'fell-back' } }),
      PATIENCE,
    );
  });
});
