import type { RolloutRelease, RolloutStrategy } from '@edgeloop/contracts';
import type { Seen } from './vision.ts';

/** One document and one event must stay under the broker's 1 MiB; a larger fleet is rolled out by selections. */
export const NODES_PER_ROLLOUT_MAX = 1000;
/** A rollout that cannot begin (the fleet service does not answer) ends after this long. */
export const START_DEADLINE_MS = 3_600_000;
/** A pause that nobody ends is taken for an abort: the nodes go back to what is proven. */
export const PAUSE_DEADLINE_MS = 7 * 86_400_000;

/** How far one node is with the release. Times are milliseconds since 1970. */
export type Progress =
  | { readonly at: 'planned' }
  | { readonly at: 'offered'; readonly offeredAt: number }
  | {
      readonly at: 'running';
      readonly offeredAt: number;
      /** First heartbeat that showed the new weights. */
      readonly seenAt: number;
      /** Healthy without a break since; null while it falters. */
      readonly healthySince: number | null;
      /** Unhealthy or silent since; null while it is healthy. */
      readonly falteredAt: number | null;
      /** It stayed healthy for the soak time and sees what its predecessor saw. */
      readonly proved: boolean;
    }
  | { readonly at: 'failed'; readonly offeredAt: number; readonly failedAt: number; readonly reason: string };

/** One node taking the release. */
export interface Deployment {
  /** The last release proven on this node: where it goes back to. Null when there never was one. */
  readonly previous: string | null;
  /** It carries the unproven release of a rollout that this one supersedes; it goes back with the others. */
  readonly exposed: boolean;
  /** What the node saw under `previous`, pinned when the rollout began; null when too little is known. */
  readonly baseline: Seen | null;
  readonly progress: Progress;
}

export type Outcome = 'completed' | 'rolled-back' | 'aborted' | 'superseded';

export type Status =
  | { readonly kind: 'starting' }
  | { readonly kind: 'running' }
  | { readonly kind: 'paused'; readonly by: string; readonly at: number }
  | {
      readonly kind: 'halting';
      readonly outcome: 'rolled-back' | 'aborted';
      readonly at: number;
      readonly reason: string;
      /** Nodes not yet seen back. */
      readonly pending: readonly string[];
    }
  | {
      readonly kind: 'ended';
      readonly outcome: Outcome;
      readonly at: number;
      readonly reason: string;
      readonly supersededBy: string | null;
    };

export type Selection = { readonly all: true } | { readonly nodeIds: readonly string[] };

/** Why the rollout exists, so that all it causes belongs to the same turn of the loop. */
export interface Origin {
  readonly id: string;
  readonly correlationId: string;
  readonly traceparent?: string | undefined;
}

export interface Rollout {
  readonly rolloutId: string;
  readonly release: RolloutRelease;
  readonly selection: Selection;
  readonly strategy: RolloutStrategy;
  readonly reason: string;
  readonly origin: Origin | null;
  readonly startedAt: number;
  readonly status: Status;
  /** Index of the wave that was offered last. */
  readonly wave: number;
  /** Node ids by wave, in the order of offering. */
  readonly waves: readonly (readonly string[])[];
  readonly nodes: Readonly<Record<string, Deployment>>;
  /** Facts of every release that a node may go back to. */
  readonly releases: Readonly<Record<string, RolloutRelease>>;
  /** Events applied so far: makes the ids of outputs unique and repeatable. */
  readonly step: number;
}

/** A node that may take part, with where it would go back to. */
export interface Candidate {
  readonly nodeId: string;
  readonly previous: string | null;
  readonly exposed: boolean;
  readonly baseline: Seen | null;
}

export type RolloutEvent =
  | {
      readonly type: 'begun';
      readonly waves: readonly (readonly string[])[];
      readonly nodes: Readonly<Record<string, Deployment>>;
      readonly releases: Readonly<Record<string, RolloutRelease>>;
    }
  | { readonly type: 'wave-offered'; readonly wave: number; readonly at: number }
  | { readonly type: 'node-running'; readonly nodeId: string; readonly at: number }
  | { readonly type: 'node-healthy'; readonly nodeId: string; readonly at: number }
  | { readonly type: 'node-faltered'; readonly nodeId: string; readonly at: number }
  | { readonly type: 'node-proved'; readonly nodeId: string }
  | { readonly type: 'node-failed'; readonly nodeId: string; readonly at: number; readonly reason: string }
  | { readonly type: 'wave-completed'; readonly wave: number }
  | { readonly type: 'paused'; readonly by: string; readonly at: number }
  | { readonly type: 'resumed'; readonly by: string }
  | {
      readonly type: 'halted';
      readonly outcome: 'rolled-back' | 'aborted';
      readonly wave: number;
      readonly at: number;
      readonly reason: string;
      readonly bringBack: readonly string[];
    }
  | { readonly type: 'node-back'; readonly nodeId: string }
  | {
      readonly type: 'ended';
      readonly outcome: Outcome;
      readonly at: number;
      readonly reason: string;
      readonly supersededBy: string | null;
      /** Nodes to send back although nobody waits for them. */
      readonly bringBack: readonly string[];
    };

/** A request for a rollout, before it has nodes. */
export interface RolloutOrder {
  readonly rolloutId: string;
  readonly release: RolloutRelease;
  readonly selection: Selection;
  readonly strategy: RolloutStrategy;
  readonly reason: string;
  readonly origin: Origin | null;
  readonly at: number;
}

export function ordered(order: RolloutOrder): Rollout {
  const { at, ...facts } = order;
  return { ...facts, startedAt: at, status: { kind: 'starting' }, wave: 0, waves: [], nodes: {}, releases: {}, step: 0 };
}

export function isOpen(rollout: Rollout): boolean {
  return rollout.status.kind !== 'ended';
}

/** Nodes that were told to run the release, or still carry an unproven one. */
export function treatedNodes(rollout: Rollout): string[] {
  return Object.entries(rollout.nodes)
    .filter(([, deployment]) => deployment.exposed || deployment.progress.at !== 'planned')
    .map(([nodeId]) => nodeId);
}
