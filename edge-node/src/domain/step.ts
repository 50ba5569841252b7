import type { DeploymentPhase } from '@edgeloop/contracts';
import type { DesiredRelease, Installed } from './release.ts';

/** The update flow, in order. Every step is recorded before it starts and may be repeated after a crash. */
export const FLOW = ['verify', 'download', 'stage', 'start-generation', 'self-test', 'switch', 'probe', 'commit'] as const;
export type FlowStep = (typeof FLOW)[number];
export type DeploymentStep = FlowStep | 'roll-back';

/** What the runner is to do next. Effects are data: one executor each. */
export type Step =
  | { readonly kind: 'resume'; readonly release: DesiredRelease; readonly generation: number }
  | {
      readonly kind: DeploymentStep;
      readonly release: DesiredRelease;
      /** The desired generation that asked for it. */
      readonly generation: number;
      readonly proven: Installed | null;
    }
  | { readonly kind: 'retire' }
  | { readonly kind: 'tidy'; readonly keep: readonly string[] };
export type StepKind = Step['kind'];

export interface StepLimits {
  /** An attempt that takes longer is aborted and counts as failed (`<step>-timeout`). */
  readonly deadlineMs: number;
  /** Failed attempts before the deployment is given up and the proven release is back. */
  readonly attemptsMax: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** A slow link may take hours for the weights; the downloader's own minimum throughput ends one that stands still. */
export const STEP_LIMITS: Readonly<Record<StepKind, StepLimits>> = {
  resume: { deadlineMs: 2 * MINUTE, attemptsMax: 3 },
  verify: { deadlineMs: 2 * MINUTE, attemptsMax: 3 },
  download: { deadlineMs: 360 * MINUTE, attemptsMax: 3 },
  stage: { deadlineMs: 10 * MINUTE, attemptsMax: 3 },
  'start-generation': { deadlineMs: 2 * MINUTE, attemptsMax: 3 },
  'self-test': { deadlineMs: 5 * MINUTE, attemptsMax: 2 },
  switch: { deadlineMs: MINUTE, attemptsMax: 3 },
  probe: { deadlineMs: 30 * MINUTE, attemptsMax: 1 },
  commit: { deadlineMs: MINUTE, attemptsMax: 3 },
  'roll-back': { deadlineMs: MINUTE, attemptsMax: 3 },
  retire: { deadlineMs: MINUTE, attemptsMax: 3 },
  tidy: { deadlineMs: MINUTE, attemptsMax: 1 },
};

/** Waits for something outside the node (store or bus away) before even that ends a deployment: with the longest back-off, a day. */
export const WAITS_MAX = 1_440;
/** Process starts of a trial, counted before each: a trial that takes the agent down with it ends after the third. */
export const TRIAL_STARTS_MAX = 3;
/** Steps begun in one deployment, restarts included: breaks any loop that no other limit sees. */
export const STEP_STARTS_MAX = 28;

/** How the world shows a step to others. */
export const PHASE_OF: Readonly<Record<DeploymentStep, DeploymentPhase>> = {
  verify: 'verifying',
  download: 'downloading',
  stage: 'staging',
  'start-generation': 'self-testing',
  'self-test': 'self-testing',
  switch: 'switching',
  probe: 'probing',
  commit: 'committing',
  'roll-back': 'rolling-back',
};

export function stepAfter(step: FlowStep): FlowStep | undefined {
  return FLOW[FLOW.indexOf(step) + 1];
}
