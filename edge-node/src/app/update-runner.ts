import type { Desired } from '@edgeloop/contracts';
import { backoffMs, sleep } from '@edgeloop/runtime';
import type { Clock, Logger } from '@edgeloop/runtime';
import type { PendingReport, Updater } from '../domain/node-state.ts';
import { failuresInARow, plan } from '../domain/plan.ts';
import { StepFailedError } from '../domain/failure.ts';
import { STEP_LIMITS } from '../domain/step.ts';
import type { Step } from '../domain/step.ts';
import { evolve } from '../domain/updater.ts';
import type { UpdaterEvent } from '../domain/updater-event.ts';
import { failureFrom } from '../executors/table.ts';
import type { StepResult } from '../executors/executor.ts';
import type { StateStore } from '../ports.ts';

export interface UpdateRunnerParts {
  readonly state: Updater;
  readonly store: StateStore;
  readonly execute: (step: Step, signal: AbortSignal) => Promise<StepResult>;
  /** Puts reports where a crash cannot reach them; repeating it changes nothing. */
  readonly spoolReports: (reports: readonly PendingReport[]) => void;
  readonly clock: Clock;
  readonly chance: () => number;
  readonly log: Logger;
}

const STEP_BACKOFF = { firstMs: 1_000, maxMs: 60_000 };
const SAVE_BACKOFF = { firstMs: 500, maxMs: 30_000 };
/** Between two offers of reports to a spool that did not take them. */
const REPORTS_RETRY_MS = 5_000;
/** An executor that does not end this long after its signal is left behind. */
const ABORT_GRACE_MS = 10_000;

/**
 * Takes planned steps one at a time: stored before it starts, aborted at its deadline or when the plan changes, its result stored before
 * the next. The only writer of the node's state.
 */
export class UpdateRunner {
  readonly #parts: UpdateRunnerParts;
  readonly #stopping = new AbortController();
  #state: Updater;
  #turn: Promise<void> = Promise.resolve();
  #wake = new AbortController();
  #running: { readonly step: Step; readonly abort: AbortController } | undefined;

  constructor(parts: UpdateRunnerParts) {
    this.#parts = parts;
    this.#state = parts.state;
  }

  get state(): Updater {
    return this.#state;
  }

  /** Runs until `stop`; resolves when the step under way has ended. */
  async run(): Promise<void> {
    await this.#apply({ type: 'booted', atMs: this.#parts.clock.now() });
    while (!this.#stopped) {
      const step = plan(this.#state)[0];
      if (step === undefined) await this.#waitForWake();
      else if (await this.#pauseBeforeRetry()) await this.#take(step);
    }
    await this.#turn;
  }

  stop(): void {
    this.#stopping.abort();
    this.#wake.abort();
    this.#running?.abort.abort(new DOMException('the agent is stopping', 'AbortError'));
  }

  /** After its signature and generation were checked. Ends a step that the newer desire makes pointless. */
  async accept(desired: Desired): Promise<void> {
    const atMs = this.#parts.clock.now();
    await this.#apply({ type: 'desired-accepted', atMs, desired });
    await this.#apply({ type: 'signed-time-seen', atMs: Date.parse(desired.issuedAt) });
    this.#abortPointlessStep();
    this.#ring();
  }

  async generationLost(packageDigest: string): Promise<void> {
    await this.#apply({ type: 'generation-lost', packageDigest });
    this.#ring();
  }

  /** Frames are answered: what failed before is over. */
  servedWell(): void {
    if (this.#state.live.failuresInARow > 0) void this.#apply({ type: 'served-well' });
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  #ring(): void {
    this.#wake.abort();
  }

  /** Reports that the spool would not take (a full disk) are offered again meanwhile. */
  async #waitForWake(): Promise<void> {
    while (!this.#wake.signal.aborted) {
      await sleep(REPORTS_RETRY_MS, this.#wake.signal);
      this.#handOverReports();
    }
    if (!this.#stopped) this.#wake = new AbortController();
  }

  /** False when something changed meanwhile: look at the plan again. */
  async #pauseBeforeRetry(): Promise<boolean> {
    const failures = failuresInARow(this.#state);
    if (failures === 0) return true;
    await sleep(backoffMs(failures - 1, STEP_BACKOFF, this.#parts.chance()), this.#wake.signal);
    const undisturbed = !this.#wake.signal.aborted;
    if (!undisturbed && !this.#stopped) this.#wake = new AbortController();
    return undisturbed;
  }

  async #take(step: Step): Promise<void> {
    const { log, clock } = this.#parts;
    await this.#apply({ type: 'step-started', atMs: clock.now(), step: step.kind });
    if (this.#stopped || !samePlan(plan(this.#state)[0], step)) return;
    const about = { step: step.kind, releaseId: 'release' in step ? step.release.releaseId : undefined };
    const abort = new AbortController();
    this.#running = { step, abort };
    try {
      const result = await this.#withDeadline(step, abort);
      await this.#apply({ type: 'step-succeeded', atMs: clock.now(), step: step.kind, ...result });
      log.info(about, 'step done');
    } catch (cause) {
      const expired = abort.signal.reason instanceof StepFailedError ? abort.signal.reason : undefined;
      if (abort.signal.aborted && expired === undefined) return log.info(about, 'step given up: not wanted any more');
      const failure = failureFrom(expired ?? cause);
      log.warn({ ...about, ...failure, err: cause instanceof StepFailedError ? undefined : cause }, 'step failed');
      await this.#apply({ type: 'step-failed', atMs: clock.now(), step: step.kind, failure });
    } finally {
      this.#running = undefined;
    }
  }

  async #withDeadline(step: Step, abort: AbortController): Promise<StepResult> {
    const timer = setTimeout(() => abort.abort(deadlineOf(step)), STEP_LIMITS[step.kind].deadlineMs);
    const leftBehind = new Promise<never>((_resolve, reject) => {
      abort.signal.addEventListener('abort', () => setTimeout(() => reject(abort.signal.reason), ABORT_GRACE_MS).unref(), { once: true });
    });
    try {
      return await Promise.race([this.#parts.execute(step, abort.signal), leftBehind]);
    } finally {
      clearTimeout(timer);
    }
  }

  #abortPointlessStep(): void {
    const running = this.#running;
    if (running === undefined || samePlan(plan(this.#state)[0], running.step)) return;
    running.abort.abort(new DOMException('superseded', 'AbortError'));
  }

  /** One event after the other; resolves when what it changed is on the disk. */
  #apply(event: UpdaterEvent): Promise<void> {
    const mine = this.#turn.then(() => this.#applyNow(event));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #applyNow(event: UpdaterEvent): Promise<void> {
    const next = evolve(this.#state, event);
    if (next.node !== this.#state.node && !(await this.#saved(next))) return;
    this.#state = next;
    this.#handOverReports();
  }

  /** A result must not be lost because the disk is full: it is written again until it is stored, or the agent stops. */
  async #saved(next: Updater): Promise<boolean> {
    for (let attempt = 0; !this.#stopped || attempt === 0; attempt += 1) {
      try {
        await this.#parts.store.save(next.node);
        return true;
      } catch (cause) {
        this.#parts.log.error({ err: cause }, 'the state could not be stored');
        await sleep(backoffMs(attempt, SAVE_BACKOFF, this.#parts.chance()), this.#stopping.signal);
      }
    }
    return false;
  }

  /** The state keeps them until the spool has them; that it may forget them is stored with its next change. */
  #handOverReports(): void {
    const { outbox } = this.#state.node;
    const last = outbox.at(-1);
    if (last === undefined) return;
    try {
      this.#parts.spoolReports(outbox);
      this.#state = evolve(this.#state, { type: 'reports-spooled', upTo: last.sequence });
    } catch (cause) {
      this.#parts.log.error({ err: cause }, 'reports could not be spooled; they stay in the state');
    }
  }
}

function deadlineOf({ kind }: Step): StepFailedError {
  const { deadlineMs } = STEP_LIMITS[kind];
  return new StepFailedError({ reason: `${kind}-timeout`, detail: `the step took longer than ${deadlineMs} ms`, severity: 'retry' });
}

function samePlan(a: Step | undefined, b: Step): boolean {
  if (a?.kind !== b.kind) return false;
  return !('release' in a) || !('release' in b) || a.release.packageDigest === b.release.packageDigest;
}
