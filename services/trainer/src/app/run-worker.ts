import { randomUUID } from 'node:crypto';
import type { Documents, Subscription } from '@edgeloop/bus';
import type { Clock, Logger } from '@edgeloop/runtime';
import { evolve, mayLease } from '../domain/run.ts';
import type { Run } from '../domain/run.ts';
import type { RunDriver } from './run-driver.ts';

/** A holder that has not renewed for this long is believed dead. */
export const LEASE_MS = 15_000;
const RENEW_EVERY_MS = 4_000;
/** How often runs of silent holders are looked for. */
const LOOK_EVERY_MS = 3_000;
export interface RunWorkerParts {
  readonly runs: Documents<Run>;
  readonly driver: RunDriver;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Takes runs that nobody works on, one at a time, and drives each to its end. */
export class RunWorker {
  readonly #parts: RunWorkerParts;
  readonly #owner = randomUUID();
  readonly #stopping = new AbortController();
  #watching: Subscription | undefined;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  /** A run changed while others were being worked on: look again before resting. */
  #lookAgain = false;
  #cancelCurrent: { runId: string; abort: AbortController } | undefined;

  constructor(parts: RunWorkerParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    this.#watching = await this.#parts.runs.watch((_, document) => {
      const run = document?.state;
      if (run?.cancelAsked && this.#cancelCurrent?.runId === run.runId) this.#cancelCurrent.abort.abort();
      if (run?.status === 'running') this.#wake();
    });
    this.#timer = setInterval(() => this.#wake(), LOOK_EVERY_MS);
  }

  /** Hands its run back: another replica, or this one after its restart, goes on with the step that was under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopping.abort();
    this.#cancelCurrent?.abort.abort();
    await this.#watching?.drain();
    await this.#working;
  }

  #wake(): void {
    this.#lookAgain = true;
    this.#working ??= this.#workWhileAny().finally(() => {
      this.#working = undefined;
    });
  }

  async #workWhileAny(): Promise<void> {
    while (this.#lookAgain && !this.#stopping.signal.aborted) {
      this.#lookAgain = false;
      await this.#workOff().catch((cause: unknown) => this.#parts.log.warn({ err: cause }, 'work on runs interrupted, goes on shortly'));
    }
  }

  async #workOff(): Promise<void> {
    for await (const { key, document } of this.#parts.runs.entries()) {
      if (this.#stopping.signal.aborted) return;
      if (!mayLease(document.state, this.#owner, this.#parts.clock.now())) continue;
      if (await this.#lease(key)) await this.#drive(key);
    }
  }

  async #lease(runId: string): Promise<boolean> {
    const until = this.#parts.clock.now() + LEASE_MS;
    const run = await this.#parts.runs.update(runId, (current) => {
      if (!current || !mayLease(current, this.#owner, this.#parts.clock.now())) return undefined;
      return { state: evolve(current, { type: 'leased', owner: this.#owner, until }) };
    });
    return run?.lease?.owner === this.#owner;
  }

  async #drive(runId: string): Promise<void> {
    const abort = new AbortController();
    this.#cancelCurrent = { runId, abort };
    const renewal = setInterval(() => {
      this.#lease(runId).then(
        (held) => held || abort.abort(),
        (cause: unknown) => this.#parts.log.warn({ err: cause, runId }, 'lease not renewed'),
      );
    }, RENEW_EVERY_MS);
    try {
      while (!this.#stopping.signal.aborted && (await this.#parts.driver.advance(runId, this.#owner, abort.signal)));
    } finally {
      clearInterval(renewal);
      this.#cancelCurrent = undefined;
      if (this.#stopping.signal.aborted) await this.#parts.driver.release(runId, this.#owner);
    }
  }
}
