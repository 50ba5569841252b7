import type { Bus } from '@edgeloop/bus';
import type { PayloadOf, TaskAnswered } from '@edgeloop/contracts';
import type { AnswerLedger, RecordedAnswer } from '../ports.ts';

/** The LABELS stream, read on from where it was left; it holds each task's answer once for ever. */
export class AnswerStream implements AnswerLedger {
  readonly #bus: Bus;
  readonly #answered = new Set<string>();
  #recent: RecordedAnswer[] = [];
  #next = 1;
  #lastAtMs: number | null = null;
  #reading: Promise<void> | undefined;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** Callers that come while it reads wait for a reading that began after them. */
  async catchUp(): Promise<void> {
    await this.#reading?.catch(() => undefined);
    this.#reading ??= this.#readOn().finally(() => (this.#reading = undefined));
    await this.#reading;
  }

  has(taskId: string): boolean {
    return this.#answered.has(taskId);
  }

  lastAnswerAtMs(): number | null {
    return this.#lastAtMs;
  }

  /** The past of a sequence that was asked for is not asked for again: a snapshot holds it. */
  since(sequence: number): readonly RecordedAnswer[] {
    this.#recent = this.#recent.filter((answer) => answer.sequence > sequence);
    return this.#recent;
  }

  async #readOn(): Promise<void> {
    for await (const { payload, context } of this.#bus.history('LABELS', { fromSequence: this.#next })) {
      if (context.streamSequence < this.#next) continue;
      this.#next = context.streamSequence + 1;
      this.#take(payload as PayloadOf<typeof TaskAnswered>, context.streamSequence);
    }
  }

  #take({ taskId, sampleId, outcome, boxes, labelDigest, answeredAt }: PayloadOf<typeof TaskAnswered>, sequence: number): void {
    const answeredAtMs = Date.parse(answeredAt);
    this.#answered.add(taskId);
    this.#recent.push({ taskId, sampleId, outcome, boxes, labelDigest, answeredAtMs, sequence });
    this.#lastAtMs = Math.max(this.#lastAtMs ?? 0, answeredAtMs);
  }
}
