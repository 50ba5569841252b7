import { RolloutAssigned, RolloutEnded, RolloutStarted, RolloutWaveCompleted, RolloutWaveStarted } from '@edgeloop/contracts';
import type { EventContract } from '@edgeloop/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@edgeloop/testkit';
import { FleetLab, LAB_START_MS, PATIENCE } from './fleet-lab.ts';

const NODES = ['cam-1', 'cam-2', 'cam-3'];

describe('services that die in the middle of a rollout', () => {
  let lab: FleetLab;

  beforeAll(async () => {
    lab = await FleetLab.open();
    await lab.startFleet();
    await lab.publishTrustRoot();
    for (const nodeId of NODES) await lab.join(nodeId);
  }, LAB_START_MS);
  afterAll(() => lab.close());

  const count = async (contract: EventContract, rolloutId: string): Promise<number> => (await lab.events(contract, rolloutId)).length;
  const reached = (contract: EventContract, rolloutId: string, times: number): Promise<void> =>
    eventually(async () => {
      if ((await count(contract, rolloutId)) < times)
        throw new Error(`${contract.type} not ${times} times yet: ${JSON.stringify(await lab.events(contract, rolloutId))}`);
    }, PATIENCE);

  async function happenedOnce(rolloutId: string): Promise<void> {
    const counts = await Promise.all(
      [RolloutStarted, RolloutWaveStarted, RolloutWaveCompleted, RolloutEnded].map((contract) => count(contract, rolloutId)),
    );
    expect(counts).toEqual([1, 3, 3, 1]);
    const assigned = await lab.events(RolloutAssigned, rolloutId);
    expect(assigned.flatMap(({ nodeIds }) => nodeIds).toSorted()).toEqual(NODES);
  }

  it(
    'the rollout service dies in each wave: the next one goes on where it was, and nothing happens twice',
    async () => {
      let rollout = await lab.startRollout();
      await lab.publish('v1');
      for (const wave of [1, 2, 3]) {
        await reached(RolloutWaveStarted, 'auto-hardhat-v1', wave);
        await lab.crash(rollout);
        rollout = await lab.startRollout();
      }
      await lab.ended('auto-hardhat-v1', 'completed');
      await lab.everyNodeRuns('hardhat-v1');
      await happenedOnce('auto-hardhat-v1');
      await lab.crash(rollout);
    },
    LAB_START_MS,
  );

  it(
    'two rollout services at once, one dies: each wave is offered once',
    async () => {
      const [first, second] = [await lab.startRollout(), await lab.startRollout()];
      await lab.publish('v2');
      await reached(RolloutWaveStarted, 'auto-hardhat-v2', 2);
      await lab.crash(first);
      await lab.ended('auto-hardhat-v2', 'completed');
      await happenedOnce('auto-hardhat-v2');
      expect(second.bus.connection.isClosed()).toBe(false);
    },
    LAB_START_MS,
  );

  it(
    'the fleet service dies while it assigns: nodes get each change once, generations do not jump',
    async () => {
      await lab.everyNodeRuns('hardhat-v2');
      const before = new Map((await lab.views()).map(({ nodeId, desired }) => [nodeId, desired.generation]));
      const [fleet] = lab.services.filter(({ bus }) => bus.service === 'fleet');
      await lab.publish('v3');
      await reached(RolloutWaveStarted, 'auto-hardhat-v3', 1);
      if (fleet !== undefined) await lab.crash(fleet);
      await lab.startFleet();
      await lab.ended('auto-hardhat-v3', 'completed');
      await lab.everyNodeRuns('hardhat-v3');
      for (const { nodeId, desired } of await lab.views()) expect(desired.generation).toBe((before.get(nodeId) ?? 0) + 1);
    },
    LAB_START_MS,
  );

  it(
    'a bad release is taken back although the service that offered it died',
    async () => {
      await lab.publish('v4', 'hangs');
      await reached(RolloutAssigned, 'auto-hardhat-v4', 1);
      for (const service of lab.services.filter(({ bus }) => bus.service === 'rollout')) await lab.crash(service);
      const [offered = ''] = await lab.offered('auto-hardhat-v4');
      await eventually(() => expect(lab.nodes.get(offered)?.accepted?.release?.releaseId).toBe('hardhat-v4'), PATIENCE);
      await lab.nodes.get(offered)?.reportFailure('out-of-memory');
      await lab.startRollout();
      await lab.ended('auto-hardhat-v4', 'rolled-back');
      await lab.everyNodeRuns('hardhat-v3');
      expect(await lab.offered('auto-hardhat-v4')).toEqual([offered]);
    },
    LAB_START_MS,
  );
});
