import { isRetryable } from '@edgeloop/bus/node';
import type { NodeBus } from '@edgeloop/bus/node';
import { NodeTelemetry } from '@edgeloop/contracts';
import type { TelemetryWindow } from '@edgeloop/contracts';
import { backoffMs } from '@edgeloop/runtime';
import type { Logger } from '@edgeloop/runtime';
import { errorText } from '../domain/error-text.ts';
import { Bell } from './repeat.ts';

/** Windows kept in memory while the bus is away: an hour and more at ten seconds each. The oldest go first. */
export const WINDOWS_MAX = 512;
/** Windows in one message, as the contract allows. */
const BATCH_WINDOWS_MAX = 60;
/** Well under what a node may send at once. */
const BATCH_BYTES_MAX = 150_000;
const BACKOFF = { firstMs: 500, maxMs: 30_000 };
const IDLE_MS = 60_000;

export interface SendTelemetryParts {
  readonly bus: Pick<NodeBus, 'publishFact' | 'onStatus'>;
  readonly nodeId: string;
  readonly chance: () => number;
  readonly log: Logger;
}

/** A batch goes out again, as it is and under the same id, until its fate is known. */
export class SendTelemetry {
  readonly #parts: SendTelemetryParts;
  readonly #bell = new Bell();
  readonly #waiting: TelemetryWindow[] = [];
  #batch: TelemetryWindow[] = [];
  #shed = 0;

  constructor(parts: SendTelemetryParts) {
    this.#parts = parts;
    parts.bus.onStatus((status) => {
      if (status.state === 'connected') this.#bell.ring();
    });
  }

  /** Windows that were dropped because the bus was away for too long. */
  get shed(): number {
    return this.#shed;
  }

  add(window: TelemetryWindow): void {
    this.#waiting.push(window);
    if (this.#waiting.length > WINDOWS_MAX) {
      this.#waiting.shift();
      this.#shed += 1;
    }
    this.#bell.ring();
  }

  async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      const sent = await this.#sendNext();
      failures = sent ? 0 : failures + 1;
      if (sent && this.#waiting.length > 0) continue;
      await this.#bell.wait(sent ? IDLE_MS : backoffMs(failures - 1, BACKOFF, this.#parts.chance()), signal);
    }
    await this.#sendNext();
  }

  /** False: the bus is away. */
  async #sendNext(): Promise<boolean> {
    const { bus, nodeId, log } = this.#parts;
    if (this.#batch.length === 0) this.#batch = this.#takeBatch();
    const [first] = this.#batch;
    if (first === undefined) return true;
    try {
      await bus.publishFact(
        NodeTelemetry,
        { nodeId, windows: this.#batch },
        { id: `${nodeId}.${first.epoch}.telemetry.${first.sequence}` },
      );
    } catch (cause) {
      if (isRetryable(cause)) return false;
      this.#shed += this.#batch.length;
      log.error({ err: cause, why: errorText(cause) }, 'telemetry cannot be sent, now or later: it is dropped');
    }
    this.#batch = [];
    return true;
  }

  #takeBatch(): TelemetryWindow[] {
    let bytes = 0;
    let count = 0;
    for (const window of this.#waiting.slice(0, BATCH_WINDOWS_MAX)) {
      bytes += JSON.stringify(window).length;
      if (count > 0 && bytes > BATCH_BYTES_MAX) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }
}
