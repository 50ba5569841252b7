import { sleep } from '@edgeloop/runtime';
import { StepFailedError } from '../domain/failure.ts';
import { judgeProbe, NO_EVIDENCE, withAnswer, withFailure } from '../domain/probe.ts';
import type { AnsweredFrame, ModelEvidence, ProbeLimits } from '../domain/probe.ts';

const POLL_MS = 100;

/** Gathers what live frames say about each model, and decides a trial by it. */
export class ProbeDesk {
  readonly #limits: ProbeLimits;
  readonly #monotonicMs: () => number;
  readonly #evidence = new Map<string, ModelEvidence>();

  constructor(limits: ProbeLimits, monotonicMs: () => number) {
    this.#limits = limits;
    this.#monotonicMs = monotonicMs;
  }

  answered(packageDigest: string, frame: AnsweredFrame): void {
    this.#evidence.set(packageDigest, withAnswer(this.#evidence.get(packageDigest) ?? NO_EVIDENCE, frame));
  }

  failed(packageDigest: string): void {
    this.#evidence.set(packageDigest, withFailure(this.#evidence.get(packageDigest) ?? NO_EVIDENCE));
  }

  /** Only a model that serves, or served just now, is remembered. */
  forgetAllBut(packageDigests: readonly string[]): void {
    for (const digest of this.#evidence.keys()) if (!packageDigests.includes(digest)) this.#evidence.delete(digest);
  }

  /** Resolves when the trial is healthy. @throws StepFailedError, and the signal's reason */
  async watch(trial: string, incumbent: string | undefined, isServing: () => boolean, signal: AbortSignal): Promise<void> {
    const startedMs = this.#monotonicMs();
    this.#evidence.delete(trial);
    const before = incumbent === undefined ? undefined : this.#evidence.get(incumbent);
    for (;;) {
      signal.throwIfAborted();
      const found = { trial: this.#evidence.get(trial) ?? NO_EVIDENCE, incumbent: before, elapsedMs: this.#monotonicMs() - startedMs };
      const verdict = judgeProbe(found, this.#limits);
      if (verdict === 'passed') return;
      if (verdict !== undefined) throw new StepFailedError(verdict);
      if (!isServing()) {
        throw new StepFailedError({ reason: 'generation-died', detail: 'the model process ended in its trial', severity: 'final' });
      }
      await sleep(POLL_MS, signal);
    }
  }
}
