import type { MessageContext } from '@edgeloop/bus';
import type { NodeReport, PayloadOf } from '@edgeloop/contracts';
import { report } from '../domain/node.ts';
import type { Nodes } from './nodes.ts';

/** Keeps the last outcome that a node reported; progress in between is shown by heartbeats and written nowhere. */
export class TakeReport {
  readonly #nodes: Nodes;

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
  }

  async reported(said: PayloadOf<typeof NodeReport>, context: MessageContext): Promise<void> {
    const { nodeId, releaseId, generation, outcome, reason } = said;
    if (outcome === null) return;
    await this.#nodes.change(
      nodeId,
      (node) => report(node, { releaseId, generation, outcome, reason, sequence: context.streamSequence }),
      context,
    );
  }
}
