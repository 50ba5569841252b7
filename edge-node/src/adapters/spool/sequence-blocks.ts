import type { DatabaseSync } from 'node:sqlite';

/** Numbers taken from the disk at once: a restart skips the rest of the block, and none is ever given twice. */
export const SEQUENCE_BLOCK = 10_000;

/** Growing numbers for what is too frequent to be stored one by one (heartbeats, telemetry windows). */
export class SequenceBlocks {
  readonly #database: DatabaseSync;
  readonly #name: string;
  #next = 0;
  #end = 0;

  constructor(database: DatabaseSync, name: string) {
    this.#database = database;
    this.#name = `sequence-${name}`;
  }

  next(): number {
    if (this.#next === this.#end) this.#reserve();
    return this.#next++;
  }

  #reserve(): void {
    const row = this.#database
      .prepare('INSERT INTO counters (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value RETURNING value')
      .get(this.#name, SEQUENCE_BLOCK);
    this.#end = Number(row?.['value']);
    this.#next = this.#end - SEQUENCE_BLOCK;
  }
}
