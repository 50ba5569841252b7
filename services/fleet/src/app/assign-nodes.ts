import type { MessageContext } from '@edgeloop/bus';
import type { RolloutAssigned, PayloadOf } from '@edgeloop/contracts';
import type { Clock, Logger } from '@edgeloop/runtime';
import { assign } from '../domain/node.ts';
import type { Bells } from '../ports.ts';
import { inParallel } from './in-parallel.ts';
import type { Nodes } from './nodes.ts';

/** Sets what nodes should run. The place of the assignment in the stream decides which of two is newer. */
export class AssignNodes {
  readonly #nodes: Nodes;
  readonly #bells: Bells;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(nodes: Nodes, bells: Bells, clock: Clock, log: Logger) {
    this.#nodes = nodes;
    this.#bells = bells;
    this.#clock = clock;
    this.#log = log;
  }

  async assigned(assigned: PayloadOf<typeof RolloutAssigned>, context: MessageContext): Promise<void> {
    const { assignmentId, rolloutId, release, nodeIds } = assigned;
    const assignment = { assignmentId, rolloutId, release, sequence: context.streamSequence, at: this.#clock.now() };
    await inParallel(nodeIds, async (nodeId) => {
      const node = await this.#nodes.change(nodeId, (current) => assign(current, assignment), context);
      if (node === undefined) this.#log.warn({ nodeId, rolloutId, assignmentId }, 'a node that is not enrolled was assigned a release');
      else if (context.deliveries > 1) this.#bells.ring(nodeId);
    });
  }
}
