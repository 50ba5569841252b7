import type { Bus } from '@edgeloop/bus';
import { AskNodes } from '@edgeloop/contracts';
import type { NodeView } from '@edgeloop/contracts';
import type { Fleet } from '../ports.ts';

/** Asks the fleet service over the bus. */
export class BusFleet implements Fleet {
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  async nodes(nodeIds?: readonly string[]): Promise<readonly NodeView[]> {
    const { nodes } = await this.#bus.ask(AskNodes, nodeIds === undefined ? {} : { nodeIds: [...nodeIds] });
    return nodes;
  }
}
