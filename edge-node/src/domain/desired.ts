import type { Desired } from '@edgeloop/contracts';

export type DesiredVerdict = 'newer' | 'stale' | 'foreign';

/** After its signature held: is this document for this node, and newer than what the node has accepted? */
export function judgeDesired(have: Desired | null, offered: Desired, nodeId: string): DesiredVerdict {
  if (offered.nodeId !== nodeId) return 'foreign';
  return have === null || offered.generation > have.generation ? 'newer' : 'stale';
}
