import { BusSilentError, RevisionConflictError, type Document, type Documents, type Output, type Subscription } from '@edgeloop/bus';

/** State documents in memory, by revision as on the bus; `told` holds what the outbox would have published. */
export class MemoryDocuments<S> implements Documents<S> {
  readonly told: Output[] = [];
  /** So many of the next updates find the bus silent. */
  silentUpdates = 0;
  readonly #documents = new Map<string, Document<S>>();
  #revision = 0;

  load(key: string): Promise<Document<S> | undefined> {
    return Promise.resolve(this.#documents.get(key));
  }

  save(key: string, state: S, options: { revision?: number; outputs?: readonly Output[] }): Promise<Document<S>> {
    const present = this.#documents.get(key)?.revision ?? 0;
    if (present !== (options.revision ?? 0)) return Promise.reject(new RevisionConflictError(key, options.revision ?? 0));
    const document = { state: structuredClone(state), revision: ++this.#revision };
    this.#documents.set(key, document);
    for (const output of options.outputs ?? []) if (!this.told.some(({ id }) => id === output.id)) this.told.push(output);
    return Promise.resolve(document);
  }

  async update(
    key: string,
    decide: (current: S | undefined) => { state: S; outputs?: readonly Output[] } | undefined,
  ): Promise<S | undefined> {
    if (this.silentUpdates > 0) {
      this.silentUpdates -= 1;
      throw new BusSilentError(new Error('timeout'));
    }
    const current = await this.load(key);
    const decided = decide(current?.state);
    if (decided === undefined) return current?.state;
    return (await this.save(key, decided.state, { revision: current?.revision, outputs: decided.outputs })).state;
  }

  keys(): Promise<string[]> {
    return Promise.resolve([...this.#documents.keys()].toSorted());
  }

  async *entries(): AsyncIterable<{ key: string; document: Document<S> }> {
    for (const [key, document] of this.#documents) yield { key, document };
  }

  watch(): Promise<Subscription> {
    return Promise.reject(new Error('nobody watches here'));
  }

  resume(): Promise<number> {
    return Promise.resolve(0);
  }
}
