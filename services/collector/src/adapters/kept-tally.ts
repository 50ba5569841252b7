import type { Documents } from '@edgeloop/bus';
import type { RedeliveryTally } from '../ports.ts';
import { TALLY_KEY, type StoredState } from './stored-state.ts';

/** Counts in memory and adds to the stored sum on a slow clock: a count is not worth a write each. */
export class KeptTally implements RedeliveryTally {
  readonly #documents: Documents<StoredState>;
  #unsaved = 0;

  constructor(documents: Documents<StoredState>) {
    this.#documents = documents;
  }

  add(): void {
    this.#unsaved += 1;
  }

  async total(): Promise<number> {
    return storedOf((await this.#documents.load(TALLY_KEY))?.state) + this.#unsaved;
  }

  async save(): Promise<void> {
    const added = this.#unsaved;
    if (added === 0) return;
    await this.#documents.update(TALLY_KEY, (current) => ({ state: { kind: 'tally', redelivered: storedOf(current) + added } }));
    this.#unsaved -= added;
  }
}

function storedOf(state: StoredState | undefined): number {
  return state?.kind === 'tally' ? state.redelivered : 0;
}
