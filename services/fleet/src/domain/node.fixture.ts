import type { RolloutRelease, SamplingPolicy } from '@edgeloop/contracts';
import { enrolled } from './node.ts';
import type { Assignment, Node, Surroundings } from './node.ts';

export const START = 1_000_000;

export function release(version: string): RolloutRelease {
  return {
    releaseId: `hardhat-${version}`,
    name: 'hardhat',
    version,
    targetPath: `hardhat/hardhat-${version}.zip`,
    packageDigest: `sha256:${'e'.repeat(64)}`,
    packageBytes: 1000,
    modelDigest: `sha256:${version.slice(-1).repeat(64)}`,
  };
}

export function policy(version: number, policyId = 'base'): SamplingPolicy {
  return { policyId, version, rules: [], nearDuplicateBits: 4, samplesMax: null };
}

export function surroundings(more: Partial<Surroundings> = {}): Surroundings {
  return { proven: null, policy: policy(1), campaignId: 'base', at: START, ...more };
}

export function node(more: Partial<Surroundings> = {}): Node {
  const identity = { nodeId: 'cam-1', publicKey: 'UA', userJwt: 'jwt', inviteId: 'invite-1', attributes: { site: 'north' } };
  return enrolled(identity, surroundings(more));
}

export function assignment(sequence: number, version: string | null, more: Partial<Assignment> = {}): Assignment {
  return {
    assignmentId: `a${sequence}`,
    rolloutId: 'r1',
    release: version === null ? null : release(version),
    sequence,
    at: START + sequence,
    ...more,
  };
}
