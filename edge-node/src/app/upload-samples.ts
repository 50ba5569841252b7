import type { ObjectRef } from '@edgeloop/contracts';
import type { Logger } from '@edgeloop/runtime';
import type { SpooledSample } from '../domain/spooled-sample.ts';
import type { UploadQueue } from '../ports.ts';
import type { Grants } from './grants.ts';

export interface UploadSamplesParts {
  readonly spool: UploadQueue;
  readonly grants: Grants;
  readonly monotonicMs: () => number;
  readonly log: Logger;
}

/** Uploads in one round, so that receipts are asked for in between. */
const ROUND_MAX = 20;
/** What the store or the bus would not take is tried again after this; also after a restart. */
export const REFUSED_RETRY_MS = 10 * 60_000;

/** `away`: nobody takes anything now. */
type Upload = 'moved' | 'stays' | 'away';

/** Kept frames to the store, the most valuable first; a campaign without rights or a frame that nobody takes holds up no other. */
export class UploadSamples {
  readonly #parts: UploadSamplesParts;
  #triedRefusedAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: UploadSamplesParts) {
    this.#parts = parts;
  }

  /** True when there may be more to do at once. */
  async round(signal: AbortSignal): Promise<boolean> {
    const { spool, grants } = this.#parts;
    this.#takeUpRefused();
    let moved = false;
    for (const sample of spool.toUpload(ROUND_MAX, grants.withoutRights())) {
      if (signal.aborted) break;
      const uploaded = await this.#upload(sample);
      if (uploaded === 'away') break;
      moved ||= uploaded === 'moved';
    }
    return moved;
  }

  #takeUpRefused(): void {
    const { spool, monotonicMs } = this.#parts;
    if (monotonicMs() - this.#triedRefusedAtMs < REFUSED_RETRY_MS) return;
    this.#triedRefusedAtMs = monotonicMs();
    spool.takeUpAgain();
  }

  async #upload(sample: SpooledSample): Promise<Upload> {
    const { spool, grants, log } = this.#parts;
    const { sampleId, campaignId } = sample.facts;
    const picture = grants.isRefused(campaignId) ? undefined : spool.picture(sampleId);
    if (picture === undefined) return 'stays';
    const outcome = await grants.uploaderFor(campaignId).upload(picture);
    switch (outcome.kind) {
      case 'stored':
        return this.#stored(sample, outcome.object);
      case 'refused':
        spool.setAside(sampleId);
        log.error({ sampleId, campaignId, cause: outcome.cause, detail: outcome.detail }, 'the store refused a sample; it waits aside');
        return 'moved';
      case 'later':
        return outcome.cause === 'no-grant' ? this.#withoutRight(sample) : 'away';
      default:
        return outcome satisfies never;
    }
  }

  /** No right in one campaign says nothing about the next sample's; nobody to ask says it about all. */
  #withoutRight({ facts }: SpooledSample): Upload {
    const { spool, grants, log } = this.#parts;
    const { campaignId } = facts;
    if (!grants.isRefused(campaignId)) return 'away';
    if (grants.isClosed(campaignId)) {
      spool.closeCampaign(campaignId);
      log.info({ campaignId }, 'the campaign has closed: what was kept for it is forgotten when the collector says so');
    }
    // The next round looks past this campaign.
    return 'moved';
  }

  #stored({ facts, object, announcements }: SpooledSample, found: ObjectRef): 'moved' {
    const { spool, grants, log } = this.#parts;
    const { sampleId, campaignId } = facts;
    // What the collector was told of before is no other sample.
    if (announcements === 0) grants.spend(campaignId);
    const isWhole = found.digest === `sha256:${sampleId}`;
    if (!isWhole) log.error({ sampleId, found: found.digest }, 'a kept frame was damaged on this disk');
    // A frame that was in the store once stays until the collector has said what became of it.
    const known = isWhole ? found : object;
    if (known === null) spool.settle(sampleId, 'damaged');
    else spool.markStored(sampleId, known);
    return 'moved';
  }
}
