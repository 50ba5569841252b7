import type { Cause, Documents } from '@edgeloop/bus';
import { BASE_CAMPAIGN } from '@edgeloop/contracts';
import type { Clock } from '@edgeloop/runtime';
import { reconcile } from '../domain/node.ts';
import type { Surroundings } from '../domain/node.ts';
import { NOTHING_STANDS, policyFor } from '../domain/standing.ts';
import type { Standing } from '../domain/standing.ts';
import { STANDING_KEY } from './documents.ts';
import { inParallel } from './in-parallel.ts';
import type { Nodes } from './nodes.ts';

/** Every change of what stands aligns all nodes itself: more turns than this only help others. */
const ALIGN_TURNS_MAX = 10;

/** What holds for all nodes, and bringing each of them in line with it. */
export class StandingOrders {
  readonly #documents: Documents<Standing>;
  readonly #nodes: Nodes;
  readonly #clock: Clock;

  constructor(documents: Documents<Standing>, nodes: Nodes, clock: Clock) {
    this.#documents = documents;
    this.#nodes = nodes;
    this.#clock = clock;
  }

  /**
   * Applies a change and brings every node in line. The nodes are visited also when nothing changed: a message that is
   * delivered again finishes what a crash cut short.
   */
  async change(change: (standing: Standing) => Standing | undefined, cause: Cause): Promise<void> {
    await this.#documents.update(
      STANDING_KEY,
      (current) => {
        const next = change(current ?? NOTHING_STANDS);
        return next === undefined ? undefined : { state: next };
      },
      cause,
    );
    await inParallel(await this.#nodes.ids(), (nodeId) => this.align(nodeId, cause));
  }

  async surroundingsOf(nodeId: string): Promise<Surroundings> {
    return this.#surroundings(await this.#read(), nodeId);
  }

  /**
   * Again until nothing changed meanwhile: of two that align a node at once, the one that read the older state may write
   * last, but it looks once more before it leaves.
   */
  async align(nodeId: string, cause: Cause): Promise<void> {
    let standing = await this.#read();
    for (let turn = 0; turn < ALIGN_TURNS_MAX; turn++) {
      const surroundings = this.#surroundings(standing, nodeId);
      await this.#nodes.change(nodeId, (node) => reconcile(node, surroundings), cause);
      const after = await this.#read();
      if (after.version === standing.version) return;
      standing = after;
    }
  }

  async #read(): Promise<Standing> {
    return (await this.#documents.load(STANDING_KEY))?.state ?? NOTHING_STANDS;
  }

  #surroundings(standing: Standing, nodeId: string): Surroundings {
    return { proven: standing.proven?.release ?? null, ...policyFor(standing, nodeId, BASE_CAMPAIGN), at: this.#clock.now() };
  }
}
