import { AskRolloutCommand, RolloutAssigned, RolloutHalted, RolloutPaused, RolloutResumed } from '@edgeloop/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@edgeloop/testkit';
import { FleetLab, LAB_START_MS, PATIENCE } from './fleet-lab.ts';

const NODES = ['cam-1', 'cam-2', 'cam-3'];

describe('a release that must not stay', () => {
  let lab: FleetLab;

  beforeAll(async () => {
    lab = await FleetLab.open();
    await lab.startFleet();
    await lab.startRollout();
    await lab.publishTrustRoot();
    for (const nodeId of NODES) await lab.join(nodeId);
  }, LAB_START_MS);
  afterAll(() => lab.close());

  const command = (rolloutId: string, what: 'pause' | 'resume' | 'abort') =>
    lab.bus.ask(AskRolloutCommand, { rolloutId, command: what, by: 'ann' });
  const firstOffered = (rolloutId: string): Promise<string> =>
    eventually(async () => {
      const [first] = await lab.offered(rolloutId);
      if (first === undefined) throw new Error(`${rolloutId} has offered nothing yet`);
      await eventually(() => expect(lab.nodes.get(first)?.accepted?.release?.rolloutId).toBe(rolloutId), PATIENCE);
      return first;
    }, PATIENCE);

  async function haltedInFirstWave(version: string, cause: string, proven: string | null): Promise<void> {
    const rolloutId = `auto-hardhat-${version}`;
    await lab.ended(rolloutId, 'rolled-back');
    const [halted] = await lab.events(RolloutHalted, rolloutId);
    expect(halted).toMatchObject({ wave: 0, failed: 1, offered: 1, failures: [{ reason: cause }] });
    expect(await lab.offered(rolloutId)).toHaveLength(1);
    await lab.everyNodeRuns(proven);
    const [first] = await lab.offered(rolloutId);
    for (const node of lab.nodes.values()) if (node.nodeId !== first) expect(node.ran).not.toContain(`hardhat-${version}`);
  }

  it('the first of all: nodes that never had a release go back to none', async () => {
    await lab.publish('v1', 'rejects');
    await haltedInFirstWave('v1', 'golden-mismatch', null);
  });

  it('damaged weights: one node refuses, nobody else is offered them, all are on the proven release', async () => {
    await lab.publish('v2');
    await lab.ended('auto-hardhat-v2', 'completed');
    await lab.publish('v3', 'rejects');
    await haltedInFirstWave('v3', 'golden-mismatch', 'hardhat-v2');
    for (const node of lab.nodes.values()) expect(node.ran).not.toContain('hardhat-v3');
  });

  it('one that loads and serves but sees nothing halts in the first wave', async () => {
    await lab.publish('v4', 'blind');
    await haltedInFirstWave('v4', 'sees-nothing', 'hardhat-v2');
  });

  it('one that is claimed to be committed but falls back is not believed', async () => {
    await lab.publish('v5', 'falls-back');
    await haltedInFirstWave('v5', 'fell-back', 'hardhat-v2');
  });

  it('aborted by hand: every node that was offered it goes back', async () => {
    await lab.publish('v6', 'hangs');
    const first = await firstOffered('auto-hardhat-v6');
    const { rollout } = await command('auto-hardhat-v6', 'abort');
    expect(rollout.status).toBe('halting');
    const ended = await lab.ended('auto-hardhat-v6', 'aborted');
    expect(ended).toMatchObject({ reason: 'aborted by ann', running: 0 });
    await lab.everyNodeRuns('hardhat-v2');
    expect(lab.nodes.get(first)?.accepted?.release?.releaseId).toBe('hardhat-v2');
    expect((await command('auto-hardhat-v6', 'abort')).rollout.status).toBe('aborted');
    await expect(command('auto-hardhat-v6', 'pause')).rejects.toMatchObject({ code: 'rollout-ended' });
    await expect(command('auto-hardhat-v99', 'pause')).rejects.toMatchObject({ code: 'rollout-unknown' });
  });

  it('paused it offers nothing more; resumed it goes on to the end', async () => {
    lab.manners.set('hardhat-v7', 'hangs');
    await lab.publish('v7', 'hangs');
    const first = await firstOffered('auto-hardhat-v7');
    expect((await command('auto-hardhat-v7', 'pause')).rollout.status).toBe('paused');
    expect((await command('auto-hardhat-v7', 'pause')).rollout.status).toBe('paused');
    await expect(command('auto-hardhat-v7', 'resume')).resolves.toMatchObject({ rollout: { status: 'running' } });
    await command('auto-hardhat-v7', 'pause');
    expect(await lab.offered('auto-hardhat-v7')).toEqual([first]);
    await lab.publish('v8');
    await lab.ended('auto-hardhat-v7', 'superseded');
    await lab.ended('auto-hardhat-v8', 'completed');
    await lab.everyNodeRuns('hardhat-v8');
    expect(await lab.events(RolloutPaused, 'auto-hardhat-v7')).toHaveLength(2);
    expect(await lab.events(RolloutResumed, 'auto-hardhat-v7')).toHaveLength(1);
  });

  it('the unproven release of a superseded rollout is nobody to go back to', async () => {
    await lab.publish('v9', 'hangs');
    const exposed = await firstOffered('auto-hardhat-v9');
    await lab.publish('v10', 'rejects');
    await lab.ended('auto-hardhat-v9', 'superseded');
    await lab.ended('auto-hardhat-v10', 'rolled-back');
    await lab.everyNodeRuns('hardhat-v8');
    const back = (await lab.events(RolloutAssigned, 'auto-hardhat-v10')).filter(({ kind }) => kind === 'rollback');
    expect(back.every(({ release }) => release?.releaseId === 'hardhat-v8')).toBe(true);
    expect(back.flatMap(({ nodeIds }) => nodeIds)).toContain(exposed);
    await eventually(() => expect(lab.nodes.get(exposed)?.accepted?.release?.releaseId).toBe('hardhat-v8'), PATIENCE);
  });
});
