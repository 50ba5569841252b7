import type { NodeBus } from '@edgeloop/bus/node';
import { NodeHeartbeat } from '@edgeloop/contracts';
import type { PayloadOf } from '@edgeloop/contracts';
import { Bell, jittered } from './repeat.ts';
import type { Rhythm } from './repeat.ts';

export type Heartbeat = PayloadOf<typeof NodeHeartbeat>;

/** Says that the node is alive and what serves, in its rhythm and at once when something changed. */
export class Beat {
  readonly #bus: Pick<NodeBus, 'signal'>;
  readonly #observe: () => Heartbeat;
  readonly #rhythm: Rhythm;
  readonly #bell = new Bell();

  constructor(bus: Pick<NodeBus, 'signal'>, observe: () => Heartbeat, rhythm: Rhythm) {
    this.#bus = bus;
    this.#observe = observe;
    this.#rhythm = rhythm;
  }

  ring(): void {
    this.#bell.ring();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#bus.signal(NodeHeartbeat, this.#observe());
      await this.#bell.wait(jittered(this.#rhythm), signal);
    }
  }
}
