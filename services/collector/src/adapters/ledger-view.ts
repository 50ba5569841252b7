import type { Bus } from '@edgeloop/bus';
import { SampleAccepted, SampleQuarantined, patternOf, type PayloadOf } from '@edgeloop/contracts';
import type { AcceptedCounts } from '../domain/grant-decision.ts';
import { isFinal } from '../domain/manifest-claims.ts';
import type { LedgerCounts, LedgerEntry } from '../ports.ts';

/** Rows kept for `newest`. */
const NEWEST_KEPT_MAX = 1_000;

/**
 * Counts of the ledger, read from the stream itself: each entry is one message there, so no redelivery can count twice and every
 * replica comes to the same numbers.
 */
export class LedgerView implements LedgerCounts {
  readonly #bus: Bus;
  readonly #perCampaign = new Map<string, number>();
  readonly #perNode = new Map<string, number>();
  readonly #refused = new Map<string, { readonly nodeId: string; readonly sampleId: string; readonly cause: string }>();
  #newest: LedgerEntry[] = [];
  #total = 0;
  #nextSample = 1;
  #nextRefusal = 1;
  #running: Promise<void> | undefined;
  #queued: Promise<void> | undefined;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** A caller never gets a reading that began before it asked; calls that wait share the next one. */
  catchUp(): Promise<void> {
    if (this.#running === undefined) return this.#begin();
    this.#queued ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#queued = undefined;
        return this.#begin();
      });
    return this.#queued;
  }

  perCampaign(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#perCampaign);
  }

  perNode(): ReadonlyMap<string, number> {
    return this.#perNode;
  }

  of(campaignId: string, nodeId: string): AcceptedCounts {
    return { campaign: this.#perCampaign.get(campaignId) ?? 0, node: this.#perNode.get(`${campaignId}/${nodeId}`) ?? 0 };
  }

  total(): number {
    return this.#total;
  }

  newest(limit: number): readonly LedgerEntry[] {
    return this.#newest.slice(-limit).toReversed();
  }

  async quarantined(): Promise<number> {
    const filter = { subject: patternOf(SampleQuarantined), fromSequence: this.#nextRefusal };
    for await (const { payload, context } of this.#bus.history('LOOP', filter)) {
      this.#nextRefusal = context.streamSequence + 1;
      const { nodeId, sampleId, cause } = payload as PayloadOf<typeof SampleQuarantined>;
      this.#refused.set(`${nodeId}/${sampleId}`, { nodeId, sampleId, cause });
    }
    for (const [key, { nodeId, sampleId, cause }] of this.#refused) {
      if (isFinal(cause)) continue;
      if ((await this.#bus.lastOf(SampleAccepted, { nodeId, sampleId })) !== undefined) this.#refused.delete(key);
    }
    return this.#refused.size;
  }

  #begin(): Promise<void> {
    this.#running = this.#readOn().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #readOn(): Promise<void> {
    for await (const { payload, context } of this.#bus.history('SAMPLES', { fromSequence: this.#nextSample })) {
      if (context.streamSequence < this.#nextSample) continue;
      this.#nextSample = context.streamSequence + 1;
      this.#count(payload as PayloadOf<typeof SampleAccepted>);
    }
  }

  #count({ nodeId, manifest, acceptedAt }: PayloadOf<typeof SampleAccepted>): void {
    const { campaignId } = manifest;
    this.#total += 1;
    bump(this.#perCampaign, campaignId);
    bump(this.#perNode, `${campaignId}/${nodeId}`);
    this.#newest.push({ nodeId, manifest, acceptedAt });
    if (this.#newest.length >= 2 * NEWEST_KEPT_MAX) this.#newest = this.#newest.slice(-NEWEST_KEPT_MAX);
  }
}

function bump(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
