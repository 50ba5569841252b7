import type { DeploymentOutcome, DeploymentPhase } from '@edgeloop/contracts';
import type { Failure } from './failure.ts';
import { OUTBOX_MAX } from './node-state.ts';
import type { Deployment, NodeState, PendingReport } from './node-state.ts';

interface ToReport {
  readonly deployment: Pick<Deployment, 'release' | 'generation'> & { readonly failure?: Failure | null };
  readonly atMs: number;
  readonly phase: DeploymentPhase;
  readonly outcome?: DeploymentOutcome;
  readonly failure?: Failure | null;
}

/** Saved with the state that it tells of, so that no crash loses or doubles it; the sequence is its identity. */
export function withReport(node: NodeState, { deployment, atMs, phase, outcome, failure }: ToReport): NodeState {
  const told = failure ?? deployment.failure ?? null;
  const report: PendingReport = {
    sequence: node.reportSequence,
    atMs,
    generation: deployment.generation,
    rolloutId: deployment.release.rolloutId,
    releaseId: deployment.release.releaseId,
    phase,
    outcome: outcome ?? null,
    reason: told?.reason ?? null,
    detail: told?.detail ?? null,
  };
  return { ...node, reportSequence: node.reportSequence + 1, outbox: bounded([...node.outbox, report]) };
}

/** The spool takes reports at once; only a spool that is broken lets them gather. Progress goes first, outcomes last. */
function bounded(outbox: readonly PendingReport[]): readonly PendingReport[] {
  if (outbox.length <= OUTBOX_MAX) return outbox;
  const index = outbox.findIndex((report) => report.outcome === null);
  return outbox.toSpliced(Math.max(0, index), 1);
}
