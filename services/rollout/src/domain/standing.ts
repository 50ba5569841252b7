import type { Rollout, Selection } from './rollout.ts';
import { planWaves } from './plan.ts';

/** Where a node stands before a rollout: its last proven release, and whether it carries an unproven one. */
export interface Standing {
  readonly previous: string | null;
  readonly exposed: boolean;
}

/** The newer of two rollouts wins; equal times are told apart by id, so that every replica says the same. */
export function isNewer(a: Pick<Rollout, 'startedAt' | 'rolloutId'>, b: Pick<Rollout, 'startedAt' | 'rolloutId'>): boolean {
  return a.startedAt !== b.startedAt ? a.startedAt > b.startedAt : a.rolloutId > b.rolloutId;
}

function standingAfter(rollout: Rollout, nodeId: string, successor: string): Standing | undefined {
  const deployment = rollout.nodes[nodeId];
  if (deployment === undefined || rollout.status.kind !== 'ended') return undefined;
  const treated = deployment.exposed || deployment.progress.at !== 'planned';
  if (!treated) return undefined;
  const { outcome, supersededBy } = rollout.status;
  const proven = outcome === 'completed' && deployment.progress.at !== 'failed';
  if (proven) return { previous: rollout.release.releaseId, exposed: false };
  return { previous: deployment.previous, exposed: outcome === 'superseded' && supersededBy === successor };
}

/** Asks the rollouts that treated the node, newest first. Undefined: none ever did. */
export function standingOf(nodeId: string, successor: string, newestFirst: readonly Rollout[]): Standing | undefined {
  for (const rollout of newestFirst) {
    const standing = standingAfter(rollout, nodeId, successor);
    if (standing !== undefined) return standing;
  }
  return undefined;
}

/** Nodes that a rollout will offer its release to, out of all enrolled ones. */
export function plannedNodes(rollout: Pick<Rollout, 'selection' | 'strategy'>, enrolled: readonly string[]): string[] {
  const selected = selectedNodes(rollout.selection, enrolled);
  return planWaves(selected, rollout.strategy.waves, rollout.strategy.seed).flat();
}

export function selectedNodes(selection: Selection, enrolled: readonly string[]): string[] {
  if ('all' in selection) return [...enrolled];
  const wanted = new Set(selection.nodeIds);
  return enrolled.filter((nodeId) => wanted.has(nodeId));
}

function mayTreat(rollout: Rollout, nodeId: string): boolean {
  if (rollout.status.kind !== 'starting') return rollout.nodes[nodeId] !== undefined;
  return 'all' in rollout.selection || rollout.selection.nodeIds.includes(nodeId);
}

/** A node has one desired release: an older open rollout of the same model, or over the same nodes, gives way. */
export function givesWay(older: Rollout, newer: Rollout, plannedByNewer: readonly string[]): boolean {
  if (older.rolloutId === newer.rolloutId || older.status.kind === 'ended' || !isNewer(newer, older)) return false;
  return older.release.name === newer.release.name || plannedByNewer.some((nodeId) => mayTreat(older, nodeId));
}

/** `v12` -> 12. */
export function versionNumber(version: string): number {
  return Number(version.slice(1));
}
