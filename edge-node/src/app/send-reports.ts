import { isRetryable } from '@edgeloop/bus/node';
import type { NodeBus } from '@edgeloop/bus/node';
import { NodeReport } from '@edgeloop/contracts';
import { backoffMs } from '@edgeloop/runtime';
import type { Logger } from '@edgeloop/runtime';
import { errorText } from '../domain/error-text.ts';
import type { Report, ReportQueue } from '../ports.ts';
import { Bell } from './repeat.ts';

export interface SendReportsParts {
  readonly bus: Pick<NodeBus, 'publishFact' | 'onStatus'>;
  readonly spool: ReportQueue;
  readonly chance: () => number;
  readonly log: Logger;
}

const BATCH = 50;
const IDLE_MS = 30_000;
const BACKOFF = { firstMs: 500, maxMs: 30_000 };

/** Reports leave the spool, in order, when the bus has acknowledged them. */
export class SendReports {
  readonly #parts: SendReportsParts;
  readonly #bell = new Bell();
  #failures = 0;

  constructor(parts: SendReportsParts) {
    this.#parts = parts;
    parts.bus.onStatus((status) => {
      if (status.state === 'connected') this.#bell.ring();
    });
  }

  /** There are new ones. */
  ring(): void {
    this.#bell.ring();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const done = await this.#sendAll(signal);
      const pause = done ? IDLE_MS : backoffMs(this.#failures++, BACKOFF, this.#parts.chance());
      if (done) this.#failures = 0;
      await this.#bell.wait(pause, signal);
    }
  }

  async #sendAll(signal: AbortSignal): Promise<boolean> {
    const { spool, log } = this.#parts;
    for (let batch = spool.pending(BATCH); batch.length > 0; batch = spool.pending(BATCH)) {
      for (const report of batch) {
        if (signal.aborted) return false;
        try {
          await this.#send(report);
        } catch (cause) {
          if (isRetryable(cause)) return false;
          log.error({ err: cause, report }, 'a report cannot be sent, now or later: it is dropped');
        }
        spool.forget(report.sequence);
      }
    }
    return true;
  }

  async #send(report: Report): Promise<void> {
    const id = `${report.nodeId}.${report.epoch}.report.${report.sequence}`;
    await this.#parts.bus.publishFact(NodeReport, report, { id });
    this.#parts.log.debug({ id, outcome: report.outcome, why: errorText(report.reason ?? '') }, 'report sent');
  }
}
