import { isRetryable } from '@edgeloop/bus/node';
import type { NodeBus } from '@edgeloop/bus/node';
import { NodeManifest, NodeReceipts, RECEIPTS_PER_REQUEST_MAX } from '@edgeloop/contracts';
import type { PayloadOf } from '@edgeloop/contracts';
import type { Logger } from '@edgeloop/runtime';
import type { SpooledSample } from '../domain/spooled-sample.ts';
import type { ReceiptQueue } from '../ports.ts';
import type { Grants } from './grants.ts';

export interface SettleSamplesParts {
  readonly bus: Pick<NodeBus, 'ask' | 'publishFact'>;
  readonly nodeId: string;
  readonly epoch: () => string;
  readonly spool: ReceiptQueue;
  readonly grants: Pick<Grants, 'forget' | 'isClosed'>;
  readonly log: Logger;
}

type ClosedClaim = NonNullable<PayloadOf<typeof NodeReceipts>['closed']>[number];

/** Manifests in one round. */
const ROUND_MAX = 20;

/** Tells the collector of what lies in the store, and forgets what it has a receipt for. */
export class SettleSamples {
  readonly #parts: SettleSamplesParts;

  constructor(parts: SettleSamplesParts) {
    this.#parts = parts;
  }

  /** True when anything moved on. Throws what `isRetryable` when the bus is away. */
  async round(signal: AbortSignal): Promise<boolean> {
    let moved = false;
    for (const sample of this.#parts.spool.toAnnounce(ROUND_MAX)) {
      if (signal.aborted) return moved;
      await this.#announce(sample);
      moved = true;
    }
    return (await this.#askReceipts()) || moved;
  }

  async #announce({ facts, object, sequence, announcements }: SpooledSample): Promise<void> {
    const { bus, nodeId, spool, epoch, log } = this.#parts;
    if (object === null) return;
    const id = `${nodeId}.${epoch()}.manifest.${sequence}.${announcements}`;
    try {
      await bus.publishFact(NodeManifest, { ...facts, nodeId, epoch: epoch(), sequence, object }, { id });
    } catch (cause) {
      if (isRetryable(cause)) throw cause;
      log.error({ err: cause, sampleId: facts.sampleId }, 'the bus refused a manifest; its frame waits aside');
      spool.setAside(facts.sampleId);
      return;
    }
    spool.markAnnounced(facts.sampleId);
    log.info({ sampleId: facts.sampleId, campaignId: facts.campaignId, rule: facts.why.rule }, 'sample sent');
  }

  async #askReceipts(): Promise<boolean> {
    const { bus, nodeId, spool, log } = this.#parts;
    const awaited = new Map(spool.toAskFor(RECEIPTS_PER_REQUEST_MAX).map((sample) => [sample.facts.sampleId, sample]));
    if (awaited.size === 0) return false;
    const closed = [...awaited.values()].flatMap((sample) => this.#claimOf(sample));
    const {
      accepted,
      quarantined,
      unknown,
      declined = [],
    } = await bus.ask(NodeReceipts, { nodeId, sampleIds: [...awaited.keys()], closed });
    for (const sampleId of accepted) spool.settle(sampleId, 'accepted');
    for (const { sampleId, reason } of quarantined)
      this.#quarantined(sampleId, { reason, campaignId: awaited.get(sampleId)?.facts.campaignId });
    for (const sampleId of declined) spool.settle(sampleId, 'declined');
    for (const sampleId of unknown) spool.countUnknown(sampleId);
    if (declined.length > 0) log.info({ declined: declined.length }, 'kept frames of closed campaigns are not wanted any more');
    return accepted.length + quarantined.length + declined.length > 0;
  }

  /** Only of what cannot be uploaded (again): the collector may let it go. */
  #claimOf({ stage, facts }: SpooledSample): ClosedClaim[] {
    const { sampleId, campaignId } = facts;
    const announced = stage === 'announced';
    return announced && !this.#parts.grants.isClosed(campaignId) ? [] : [{ sampleId, campaignId, announced }];
  }

  /** The campaign does not count it: the collector may take another in its place. */
  #quarantined(sampleId: string, { reason, campaignId }: { reason: string; campaignId: string | undefined }): void {
    const { spool, grants, log } = this.#parts;
    spool.settle(sampleId, 'quarantined');
    if (campaignId !== undefined) grants.forget(campaignId);
    log.warn({ sampleId, campaignId, reason }, 'the collector put a sample into quarantine');
  }
}
