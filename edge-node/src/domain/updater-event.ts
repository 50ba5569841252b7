import type { Desired } from '@edgeloop/contracts';
import type { Failure } from './failure.ts';
import type { StepKind } from './step.ts';

export type UpdaterEvent =
  /** The agent started with the state it found. */
  | { readonly type: 'booted'; readonly atMs: number }
  /** Signature, node and generation were checked (`judgeDesired`). */
  | { readonly type: 'desired-accepted'; readonly atMs: number; readonly desired: Desired }
  /** Stored before the step runs. */
  | { readonly type: 'step-started'; readonly atMs: number; readonly step: StepKind }
  | {
      readonly type: 'step-succeeded';
      readonly atMs: number;
      readonly step: StepKind;
      /** Package digest that serves frames now; left out when the step does not touch it. */
      readonly serving?: string | null;
    }
  | { readonly type: 'step-failed'; readonly atMs: number; readonly step: StepKind; readonly failure: Failure }
  /** The process that served these weights is gone. */
  | { readonly type: 'generation-lost'; readonly packageDigest: string }
  /** Frames have been answered for a while: failures before that count no more. */
  | { readonly type: 'served-well' }
  | { readonly type: 'reports-spooled'; readonly upTo: number }
  /** The spool was made anew: its sequences start again, so a new epoch begins. */
  | { readonly type: 'epoch-renewed'; readonly epoch: string }
  | { readonly type: 'signed-time-seen'; readonly atMs: number };
