import type { TufClient } from '@edgeloop/trust';
import type { Clock } from '@edgeloop/runtime';
import type { Downloader } from '../adapters/downloader.ts';
import type { Slots } from '../adapters/slots.ts';
import type { Models } from '../app/models.ts';
import type { ProbeDesk } from '../app/probe-desk.ts';
import type { Step, StepKind } from '../domain/step.ts';
import type { RepositoryLinks } from '../ports.ts';

/** What steps work with. */
export interface Tools {
  /** On the file system of the slots. */
  readonly stagingFolder: string;
  readonly slots: Slots;
  readonly downloader: Downloader;
  readonly tuf: Pick<TufClient, 'verifiedTarget'>;
  readonly links: RepositoryLinks;
  readonly models: Models;
  readonly probe: ProbeDesk;
  readonly clock: Clock;
  /** The newest signed time that the node has seen, milliseconds since 1970. */
  readonly clockFloorMs: () => number;
}

export interface StepResult {
  /** Package digest that serves frames now; left out when the step does not touch it. */
  readonly serving?: string | null;
}

export type StepOf<K extends StepKind> = Extract<Step, { kind: K }>;
/** May be repeated after a crash at any point. Throws `StepFailedError` for what it knows; ends soon after the signal. */
export type Executor<S extends Step = Step> = (step: S, tools: Tools, signal: AbortSignal) => Promise<StepResult>;
/** A flow step, as all of them come. */
export type FlowStepInput = Exclude<Step, { kind: 'resume' | 'retire' | 'tidy' }>;
