import type { Failure } from './failure.ts';
import { beginDeployment, endDeployment, giveUp, supersede, wasReleaseOf } from './deployment.ts';
import type { Deployment, NodeState, Updater } from './node-state.ts';
import { samePackage } from './release.ts';
import { withReport } from './reports.ts';
import { FLOW, PHASE_OF, STEP_LIMITS, STEP_STARTS_MAX, TRIAL_STARTS_MAX, WAITS_MAX, stepAfter } from './step.ts';
import type { FlowStep, StepKind } from './step.ts';
import type { UpdaterEvent } from './updater-event.ts';

type EventOf<T extends UpdaterEvent['type']> = Extract<UpdaterEvent, { type: T }>;

/** The next state. An event that is stale or repeated changes nothing. */
export function evolve(state: Updater, event: UpdaterEvent): Updater {
  switch (event.type) {
    case 'booted':
      return settled(mapNode({ ...state, live: { serving: null, untidy: true, failuresInARow: 0 } }, afterRestart), event.atMs);
    case 'desired-accepted':
      return settled(
        mapNode(state, (node) => accept(node, event)),
        event.atMs,
      );
    case 'step-started':
      return mapNode(state, (node) => begin(node, event));
    case 'step-succeeded':
      return settled(succeed(state, event), event.atMs);
    case 'step-failed':
      return settled(fail(state, event), event.atMs);
    case 'generation-lost':
      return lose(state, event.packageDigest);
    case 'served-well':
      return { ...state, live: { ...state.live, failuresInARow: 0 } };
    case 'reports-spooled':
      return mapNode(state, (node) => ({ ...node, outbox: node.outbox.filter((report) => report.sequence > event.upTo) }));
    case 'epoch-renewed':
      return mapNode(state, (node) => ({ ...node, epoch: event.epoch }));
    case 'signed-time-seen':
      return mapNode(state, (node) => (event.atMs > node.clockFloorMs ? { ...node, clockFloorMs: event.atMs } : node));
    default:
      return event satisfies never;
  }
}

/** A process that loads well and dies on its frames must not be started again at full speed: its starts count as failures. */
function lose(state: Updater, packageDigest: string): Updater {
  const { live } = state;
  if (live.serving !== packageDigest) return state;
  return { ...state, live: { ...live, serving: null, failuresInARow: live.failuresInARow + 1 } };
}

function mapNode(state: Updater, change: (node: NodeState) => NodeState): Updater {
  const node = change(state.node);
  return node === state.node ? state : { ...state, node };
}

/** Processes did not survive: what needs one starts again from its start. Files did: a download goes on. */
function afterRestart(node: NodeState): NodeState {
  const { deployment } = node;
  if (deployment === null || deployment.step === 'roll-back') return node;
  if (FLOW.indexOf(deployment.step) < FLOW.indexOf('start-generation')) return node;
  return { ...node, deployment: { ...deployment, step: 'start-generation', attempts: 0, waits: 0 } };
}

function accept(node: NodeState, { desired }: EventOf<'desired-accepted'>): NodeState {
  if (node.desired !== null && desired.generation <= node.desired.generation) return node;
  const next: NodeState = { ...node, desired, bad: null };
  const { deployment } = node;
  if (deployment === null || deployment.step === 'roll-back') return next;
  if (!samePackage(deployment.release, desired.release)) return { ...next, deployment: supersede(deployment, desired.generation) };
  return { ...next, deployment: { ...deployment, release: desired.release ?? deployment.release, generation: desired.generation } };
}

function begin(node: NodeState, { step, atMs }: EventOf<'step-started'>): NodeState {
  const { deployment } = node;
  if (deployment === null || deployment.step !== step) return node;
  const counted = countedStart(deployment, step);
  const phase = PHASE_OF[counted.step];
  const next = { ...node, deployment: { ...counted, reportedPhase: phase } };
  return deployment.reportedPhase === phase ? next : withReport(next, { deployment: counted, atMs, phase });
}

function countedStart(deployment: Deployment, step: StepKind): Deployment {
  if (step === 'roll-back') return deployment;
  const counted: Deployment = {
    ...deployment,
    stepStarts: deployment.stepStarts + 1,
    trialStarts: deployment.trialStarts + (step === 'start-generation' ? 1 : 0),
    switched: deployment.switched || step === 'switch',
  };
  if (counted.trialStarts > TRIAL_STARTS_MAX) {
    return giveUp(deployment, final('trial-crash', `started ${TRIAL_STARTS_MAX} times and never proven`));
  }
  if (counted.stepStarts > STEP_STARTS_MAX) return giveUp(deployment, final('loop-breaker', `${STEP_STARTS_MAX} steps begun and no end`));
  return counted;
}

function final(reason: Failure['reason'], detail: string): Failure {
  return { reason, detail, severity: 'final' };
}

function succeed(state: Updater, event: EventOf<'step-succeeded'>): Updater {
  const serving = event.serving === undefined ? state.live.serving : event.serving;
  const live = { ...state.live, serving };
  switch (event.step) {
    case 'resume':
      return { ...state, live };
    case 'retire':
      return {
        node: { ...state.node, proven: null, previous: state.node.proven ?? state.node.previous },
        live: { ...live, failuresInARow: 0 },
      };
    case 'tidy':
      return { ...state, live: { ...live, untidy: false } };
    default:
      return succeedInDeployment({ ...state, live }, event);
  }
}

function succeedInDeployment(state: Updater, event: EventOf<'step-succeeded'>): Updater {
  const { node } = state;
  const { deployment } = node;
  if (deployment === null || deployment.step !== event.step) return state;
  if (deployment.step === 'roll-back' || deployment.step === 'commit') {
    return { node: endDeployment(node, deployment, event.atMs), live: { ...state.live, untidy: true } };
  }
  const step = stepAfter(deployment.step) as FlowStep;
  return { ...state, node: { ...node, deployment: { ...deployment, step, attempts: 0, waits: 0 } } };
}

function fail(state: Updater, event: EventOf<'step-failed'>): Updater {
  const { node, live } = state;
  switch (event.step) {
    case 'tidy':
      return { ...state, live: { ...live, untidy: false } };
    case 'retire':
      return { ...state, live: { ...live, failuresInARow: live.failuresInARow + 1 } };
    case 'resume':
      return event.failure.severity === 'final'
        ? loseProven(state)
        : { ...state, live: { ...live, failuresInARow: live.failuresInARow + 1 } };
    default: {
      const { deployment } = node;
      if (deployment === null || deployment.step !== event.step) return state;
      return afterFailedAttempt(state, deployment, event);
    }
  }
}

/** The proven slot is damaged beyond use: the kept one takes its place, and what is desired is installed anew. */
function loseProven(state: Updater): Updater {
  const { node, live } = state;
  return {
    node: { ...node, proven: node.previous, previous: null, announced: null },
    live: { serving: null, untidy: true, failuresInARow: live.failuresInARow + 1 },
  };
}

function afterFailedAttempt(state: Updater, deployment: Deployment, { failure, atMs, step }: EventOf<'step-failed'>): Updater {
  const waits = deployment.waits + (failure.severity === 'wait' ? 1 : 0);
  const attempts = deployment.attempts + (failure.severity === 'wait' ? 0 : 1);
  const spent = waits > WAITS_MAX || attempts >= STEP_LIMITS[step].attemptsMax || (failure.severity === 'final' && step !== 'roll-back');
  if (!spent) return { ...state, node: { ...state.node, deployment: { ...deployment, waits, attempts } } };
  if (step !== 'roll-back') return { ...state, node: { ...state.node, deployment: giveUp(deployment, failure) } };
  // Nothing serves that can be vouched for: `resume` brings the proven release back and mends the pointer.
  return { node: endDeployment(state.node, deployment, atMs), live: { ...state.live, serving: null, untidy: true } };
}

/** Begins what is desired and neither there, nor on its way, nor known to be bad; says once that it is there. */
function settled(state: Updater, atMs: number): Updater {
  return mapNode(state, (node) => {
    const target = node.desired?.release ?? null;
    if (node.desired === null || node.deployment !== null || target === null) return node;
    if (node.proven !== null && samePackage(node.proven.release, target)) {
      if (wasReleaseOf(node.announced, target)) return node;
      return withReport(
        { ...node, announced: { packageDigest: target.packageDigest, rolloutId: target.rolloutId } },
        { deployment: { release: target, generation: node.desired.generation }, atMs, phase: 'idle', outcome: 'committed' },
      );
    }
    const { bad } = node;
    if (bad?.packageDigest === target.packageDigest && bad.generation === node.desired.generation) return node;
    return { ...node, deployment: beginDeployment(target, node.desired.generation) };
  });
}
