import { sleep } from '@edgeloop/runtime';
import type { LabelledBox } from '@edgeloop/vision';
import { z } from 'zod';

/** Stands in every answer, so that nobody mistakes these labels for a person's. */
export const ANNOTATOR = 'simulated-person';
const LOOK_EVERY_MS = 400;
const TASKS_AT_ONCE = 20;
const REQUEST_TIMEOUT_MS = 10_000;

const Tasks = z.object({ tasks: z.array(z.object({ taskId: z.string() })) });

export interface SimulatedPersonOptions {
  /** Asked anew whenever the labeling service cannot be reached: it may have come back elsewhere. */
  readonly apiUrl: () => Promise<string>;
  /** What a person would see in the picture; undefined: cannot tell, skip. */
  readonly look: (jpeg: Uint8Array) => Promise<readonly LabelledBox[] | undefined>;
}

/**
 * Answers labeling tasks through the public labeling API, as a person's tool would: list, claim, fetch the picture, answer.
 * A conflict (claimed or answered meanwhile) is somebody else's task; anything else is tried again.
 */
export class SimulatedPerson {
  readonly #options: SimulatedPersonOptions;
  readonly #stopping = new AbortController();
  #working: Promise<void> | undefined;
  #url: string | undefined;
  /** Claimed, perhaps, and not settled: a service that went away in between no longer lists them as open. */
  readonly #held = new Set<string>();
  answered = 0;
  skipped = 0;

  constructor(options: SimulatedPersonOptions) {
    this.#options = options;
  }

  start(): void {
    this.#working = this.#work();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#working;
  }

  async #work(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#round().catch(() => {
        this.#url = undefined;
      });
      await sleep(LOOK_EVERY_MS, this.#stopping.signal);
    }
  }

  async #round(): Promise<void> {
    this.#url ??= await this.#options.apiUrl();
    const { tasks } = Tasks.parse(await (await this.#call('GET', `/v1/tasks?status=open&limit=${TASKS_AT_ONCE}`)).json());
    for (const taskId of new Set([...this.#held, ...tasks.map((task) => task.taskId)])) {
      if (this.#stopping.signal.aborted) return;
      await this.#task(taskId);
    }
  }

  async #task(taskId: string): Promise<void> {
    this.#held.add(taskId);
    const claimed = await this.#call('POST', `/v1/tasks/${taskId}/claim`, { annotator: ANNOTATOR });
    if (claimed.status >= 500) throw new Error(`claim of ${taskId}: HTTP ${claimed.status}`);
    if (claimed.ok) await this.#settle(taskId);
    this.#held.delete(taskId);
  }

  async #settle(taskId: string): Promise<void> {
    const picture = await this.#call('GET', `/v1/tasks/${taskId}/picture`);
    if (!picture.ok) throw new Error(`picture of ${taskId}: HTTP ${picture.status}`);
    const boxes = await this.#options.look(new Uint8Array(await picture.arrayBuffer()));
    if (boxes) {
      const answer = await this.#call('POST', `/v1/tasks/${taskId}/answer`, { annotator: ANNOTATOR, boxes });
      if (answer.ok) this.answered += 1;
      else if (answer.status !== 409) throw new Error(`answer to ${taskId}: HTTP ${answer.status} ${await answer.text()}`);
    } else {
      const skipped = await this.#call('POST', `/v1/tasks/${taskId}/skip`, { annotator: ANNOTATOR });
      if (skipped.ok) this.skipped += 1;
      else if (skipped.status !== 409) throw new Error(`skip of ${taskId}: HTTP ${skipped.status}`);
    }
  }

  #call(method: string, path: string, body?: unknown): Promise<Response> {
    const limit = AbortSignal.any([AbortSignal.timeout(REQUEST_TIMEOUT_MS), this.#stopping.signal]);
    const content = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    return fetch(`${this.#url ?? ''}${path}`, { method, signal: limit, ...content });
  }
}
