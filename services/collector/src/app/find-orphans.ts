import type { Logger } from '@edgeloop/runtime';
import type { ObjectInfo, ObjectStore } from '@edgeloop/store';
import type { SampleLedger } from '../ports.ts';

/** An object this young may still be waiting for its manifest. */
export const ORPHAN_GRACE_MS = 10 * 60_000;
/** How far the first look after a start goes back. */
export const FIRST_LOOK_MS = 24 * 3_600_000;
const EXAMPLES_MAX = 5;

export interface Orphans {
  readonly count: number;
  readonly bytes: number;
  readonly examples: readonly string[];
}

const SAMPLE_KEY = /^([A-Za-z0-9][A-Za-z0-9_-]*)\/[A-Za-z0-9][A-Za-z0-9_-]*\/([0-9a-f]{64})\.jpg$/;

/** Compares what lies in the bucket with the ledger: notifications can be lost, listings cannot. */
export class FindOrphans {
  readonly #parts: { readonly store: ObjectStore; readonly bucket: string; readonly ledger: SampleLedger; readonly log: Logger };
  #lookedUntilMs: number | undefined;

  constructor(parts: { store: ObjectStore; bucket: string; ledger: SampleLedger; log: Logger }) {
    this.#parts = parts;
  }

  /** Looks at objects stored since the last look that are old enough to be expected in the ledger. */
  async look(nowMs: number): Promise<Orphans> {
    const { store, bucket, log } = this.#parts;
    const until = nowMs - ORPHAN_GRACE_MS;
    const from = this.#lookedUntilMs ?? until - FIRST_LOOK_MS;
    const found: ObjectInfo[] = [];
    for await (const info of store.list(bucket, '')) {
      if (info.modifiedAtMs >= from && info.modifiedAtMs < until && (await this.#isOrphan(info))) found.push(info);
    }
    this.#lookedUntilMs = until;
    const orphans = {
      count: found.length,
      bytes: found.reduce((sum, { bytes }) => sum + bytes, 0),
      examples: found.slice(0, EXAMPLES_MAX).map(({ key }) => key),
    };
    if (orphans.count > 0) log.warn(orphans, 'objects without a manifest lie in the bucket');
    return orphans;
  }

  async #isOrphan(info: ObjectInfo): Promise<boolean> {
    const [, nodeId, sampleId] = SAMPLE_KEY.exec(info.key) ?? [];
    if (nodeId === undefined || sampleId === undefined) return true;
    return (await this.#parts.ledger.receiptOf(nodeId, sampleId)).kind === 'unknown';
  }
}
