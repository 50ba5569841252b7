import { AskStartRollout, RolloutStarted, RolloutWaveCompleted, RolloutWaveStarted } from '@edgeloop/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@edgeloop/testkit';
import { FleetLab, LAB_START_MS, PATIENCE } from './fleet-lab.ts';

describe('a release goes out in waves', () => {
  let lab: FleetLab;

  beforeAll(async () => {
    lab = await FleetLab.open();
    await lab.startFleet();
    await lab.startRollout();
    await lab.publishTrustRoot();
  }, LAB_START_MS);
  afterAll(() => lab.close());

  it('in a fleet without nodes it is proven at once, and nodes that join start with it', async () => {
    await lab.publish('v1');
    expect(await lab.ended('auto-hardhat-v1', 'completed')).toMatchObject({ running: 0, failed: 0 });
    for (const nodeId of ['cam-1', 'cam-2', 'cam-3']) await lab.join(nodeId);
    await lab.everyNodeRuns('hardhat-v1');
  });

  it('by itself when it is published, one wave after the other proved it, to every node', async () => {
    const releaseId = await lab.publish('v2');
    const ended = await lab.ended('auto-hardhat-v2', 'completed');
    expect(ended).toMatchObject({ releaseId, running: 3, failed: 0 });
    await lab.everyNodeRuns(releaseId);
    const [started] = await lab.events(RolloutStarted, 'auto-hardhat-v2');
    expect(started?.waves).toEqual([1, 1, 1]);
  });

  it('each wave was offered only after the one before was complete', async () => {
    const order: string[] = [];
    for await (const { contract, payload } of lab.bus.history('LOOP', { subject: 'rollout.v1.auto-hardhat-v2.*' })) {
      if (contract.type === RolloutWaveStarted.type) order.push(`start ${(payload as { wave: number }).wave}`);
      if (contract.type === RolloutWaveCompleted.type) order.push(`complete ${(payload as { wave: number }).wave}`);
    }
    expect(order).toEqual(['start 0', 'complete 0', 'start 1', 'complete 1', 'start 2', 'complete 2']);
  });

  it('published again it starts nothing; on another channel neither', async () => {
    await lab.publish('v2');
    await lab.publish('v3', 'serves', 'staging');
    const releaseId = await lab.publish('v4');
    await lab.ended('auto-hardhat-v4', 'completed');
    await lab.everyNodeRuns(releaseId);
    expect(await lab.events(RolloutStarted, 'auto-hardhat-v2')).toHaveLength(1);
    expect(await lab.events(RolloutStarted, 'auto-hardhat-v3')).toHaveLength(0);
  });

  it('a node that joins late starts with what is proven', async () => {
    const late = await lab.join('cam-4');
    await lab.everyNodeRuns('hardhat-v4');
    expect(late.ran).toEqual(['hardhat-v4']);
    const [view] = (await lab.views()).filter(({ nodeId }) => nodeId === 'cam-4');
    expect(view).toMatchObject({ desired: { generation: 1, releaseId: 'hardhat-v4' } });
  });

  it('desired, reported and running agree in the fleet view', async () => {
    await eventually(async () => {
      for (const view of await lab.views()) {
        expect(view).toMatchObject({
          connected: true,
          phase: 'idle',
          desired: { releaseId: 'hardhat-v4' },
          running: { releaseId: 'hardhat-v4' },
        });
        expect(view.reported).toMatchObject({ releaseId: 'hardhat-v4', outcome: 'committed' });
      }
    }, PATIENCE);
  });

  it('by hand to named nodes only, and back to an older release', async () => {
    const selection = { nodeIds: ['cam-2'] };
    const { rolloutId } = await lab.bus.ask(AskStartRollout, { releaseId: 'hardhat-v1', selection, reason: 'compare' });
    await lab.ended(rolloutId, 'completed');
    expect(await lab.offered(rolloutId)).toEqual(['cam-2']);
    expect(lab.nodes.get('cam-2')?.running).toBe('hardhat-v1');
    expect(lab.nodes.get('cam-1')?.running).toBe('hardhat-v4');
    const later = await lab.join('cam-5');
    await eventually(() => expect(later.running).toBe('hardhat-v4'), PATIENCE);
  });

  it('refuses what does not exist, in words', async () => {
    await expect(lab.bus.ask(AskStartRollout, { releaseId: 'hardhat-v9', reason: 'x' })).rejects.toMatchObject({ code: 'release-unknown' });
    const stranger = { releaseId: 'hardhat-v1', selection: { nodeIds: ['cam-1', 'cam-99'] }, reason: 'x' };
    await expect(lab.bus.ask(AskStartRollout, stranger)).rejects.toMatchObject({
      code: 'node-unknown',
      message: expect.stringContaining('cam-99'),
    });
  });
});
