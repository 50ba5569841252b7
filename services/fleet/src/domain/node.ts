import type { RolloutRelease, SamplingPolicy } from '@edgeloop/contracts';

/** Assignments remembered per node: one that is told again, however late, changes nothing. */
export const ASSIGNMENTS_REMEMBERED_MAX = 32;

export interface DesiredRelease extends RolloutRelease {
  /** Null when the node follows what the fleet has proven, without a rollout of its own. */
  readonly rolloutId: string | null;
}

/** The last outcome that the node reported. */
export interface Reported {
  readonly releaseId: string;
  readonly generation: number;
  readonly outcome: string | null;
  readonly reason: string | null;
  /** Position in the stream: the order of reports. */
  readonly sequence: number;
}

/** One enrolled node: who it is, what it should run and collect, what it last said. Times are milliseconds since 1970. */
export interface Node {
  readonly nodeId: string;
  readonly publicKey: string;
  readonly userJwt: string;
  readonly inviteId: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly enrolledAt: number;
  /** Grows with every change of what the node should run or collect. */
  readonly generation: number;
  readonly changedAt: number;
  readonly release: DesiredRelease | null;
  /** No rollout ever assigned it a release: it takes what the fleet has proven. */
  readonly follows: boolean;
  readonly policy: SamplingPolicy;
  readonly campaignId: string;
  /** The newest assignment by its place in the stream, and the ids of recent ones. */
  readonly assignment: { readonly sequence: number; readonly recent: readonly string[] };
  readonly reported: Reported | null;
}

export interface Assignment {
  readonly assignmentId: string;
  readonly rolloutId: string;
  readonly release: RolloutRelease | null;
  /** Place of the assignment in the stream: the truth about which of two is newer. */
  readonly sequence: number;
  readonly at: number;
}

/** What holds for the node when no rollout says otherwise. */
export interface Surroundings {
  readonly proven: RolloutRelease | null;
  readonly policy: SamplingPolicy;
  readonly campaignId: string;
  readonly at: number;
}

export interface Identity {
  readonly nodeId: string;
  readonly publicKey: string;
  readonly userJwt: string;
  readonly inviteId: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export function enrolled(identity: Identity, { proven, policy, campaignId, at }: Surroundings): Node {
  return {
    ...identity,
    enrolledAt: at,
    generation: 1,
    changedAt: at,
    release: proven === null ? null : { ...proven, rolloutId: null },
    follows: true,
    policy,
    campaignId,
    assignment: { sequence: 0, recent: [] },
    reported: null,
  };
}

/** Undefined: the assignment is old, or was taken before. */
export function assign(node: Node, assignment: Assignment): Node | undefined {
  const { sequence, recent } = node.assignment;
  if (assignment.sequence <= sequence || recent.includes(assignment.assignmentId)) return undefined;
  const taken = {
    ...node,
    follows: false,
    assignment: { sequence: assignment.sequence, recent: [...recent, assignment.assignmentId].slice(-ASSIGNMENTS_REMEMBERED_MAX) },
  };
  const release = assignment.release === null ? null : { ...assignment.release, rolloutId: assignment.rolloutId };
  const same = release?.releaseId === node.release?.releaseId && release?.rolloutId === node.release?.rolloutId;
  return same ? taken : { ...taken, release, generation: node.generation + 1, changedAt: assignment.at };
}

/** Brings policy, campaign and (for a follower) release in line. Undefined: they are. */
export function reconcile(node: Node, { proven, policy, campaignId, at }: Surroundings): Node | undefined {
  const follow = node.follows && proven !== null && node.release?.releaseId !== proven.releaseId;
  const collect = node.campaignId !== campaignId || node.policy.policyId !== policy.policyId || node.policy.version !== policy.version;
  if (!follow && !collect) return undefined;
  const release = follow ? { ...proven, rolloutId: null } : node.release;
  return { ...node, release, policy, campaignId, generation: node.generation + 1, changedAt: at };
}

/** Undefined: nothing new. A report changes what the node said, never what it should do. */
export function report(node: Node, said: Reported): Node | undefined {
  const before = node.reported;
  if (before !== null && said.sequence <= before.sequence) return undefined;
  const same =
    before?.releaseId === said.releaseId &&
    before.generation === said.generation &&
    before.outcome === said.outcome &&
    before.reason === said.reason;
  return same ? undefined : { ...node, reported: said };
}
