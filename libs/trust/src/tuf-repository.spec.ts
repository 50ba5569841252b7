import { describe, expect, it } from '@jest/globals';
import { RepositorySimulator, freshKeys } from './testing/repository-simulator.ts';
import { repositoryPathOf, targetPathOf } from './tuf-paths.ts';
import { ROLE_LIFETIME_MS, metadataPath, planFirst, planRenewal, planTargets, renderChange, targetsIn } from './tuf-repository.ts';

const NOW = Date.parse('2026-11-02T00:00:00.500Z');
const TARGET = { path: 'hardhat/hardhat-v1.zip', bytes: 7, digest: `sha256:${'ab'.repeat(32)}` };

describe('the writer of a repository', () => {
  it('writes what a reader starts from last', () => {
    const { files } = renderChange(freshKeys(), undefined, planFirst(NOW), undefined);
    expect(files.map((file) => file.path)).toEqual([
      'metadata/1.root.json',
      'metadata/1.targets.json',
      'metadata/1.snapshot.json',
      'metadata/timestamp.json',
    ]);
    expect(files.map((file) => file.immutable)).toEqual([true, true, true, false]);
  });

  it('writes the same bytes for the same step, whoever carries it out', () => {
    const simulator = new RepositorySimulator(NOW);
    const present = simulator.files.get(metadataPath('targets', 1));
    const change = planTargets(simulator.head, [TARGET], NOW);
    const render = () => renderChange(simulator.keys, simulator.head, change, present).files.map((file) => file.bytes.toString('hex'));
    expect(render()).toEqual(render());
  });

  it('keeps earlier targets, and refuses to build on a list that is not the signed one', () => {
    const simulator = new RepositorySimulator(NOW);
    simulator.apply(planTargets(simulator.head, [TARGET], NOW));
    simulator.apply(planTargets(simulator.head, [{ ...TARGET, path: 'hardhat/hardhat-v2.zip' }], NOW));
    expect(targetsIn(simulator.files.get(metadataPath('targets', 3)) as Buffer).map((target) => target.path)).toEqual([
      'hardhat/hardhat-v1.zip',
      'hardhat/hardhat-v2.zip',
    ]);
    const older = simulator.files.get(metadataPath('targets', 2));
    const change = planTargets(simulator.head, [], NOW);
    expect(() => renderChange(simulator.keys, simulator.head, change, older)).toThrow('3.targets.json is not the file that was signed');
  });

  it('renews nothing at half of the lifetime, and the timestamp alone a moment later', () => {
    const { head } = new RepositorySimulator(NOW);
    const half = Date.parse(head.timestamp.expires) - ROLE_LIFETIME_MS.timestamp / 2;
    expect(planRenewal(head, half)).toBeUndefined();
    const renewal = planRenewal(head, half + 1);
    expect(renewal).toEqual({ timestamp: { version: 2, expires: '2026-11-12T12:00:00Z' } });
  });

  it('renews with a role everything that vouches for it', () => {
    const { head } = new RepositorySimulator(NOW);
    expect(Object.keys(planRenewal(head, NOW + ROLE_LIFETIME_MS.snapshot * 0.6) ?? {})).toEqual(['snapshot', 'timestamp']);
    expect(Object.keys(planRenewal(head, NOW + ROLE_LIFETIME_MS.root * 0.6) ?? {})).toEqual(['root', 'targets', 'snapshot', 'timestamp']);
  });

  it('puts packages under their digest', () => {
    expect(repositoryPathOf(targetPathOf('hardhat', 'v3'), 'ff')).toBe('targets/hardhat/ff.hardhat-v3.zip');
  });
});
