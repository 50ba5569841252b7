import { isRetryable } from '@edgeloop/bus/node';
import type { NodeBus } from '@edgeloop/bus/node';
import { NodeGrant, UploadCredentials } from '@edgeloop/contracts';
import type { ReplyOf } from '@edgeloop/contracts';
import type { Clock, Logger } from '@edgeloop/runtime';
import { openSealed, SampleUploader } from '@edgeloop/store/uploader';
import type { HeldGrant, SealingKeys } from '@edgeloop/store/uploader';
import { errorText } from '../domain/error-text.ts';
import { granted, isRefused, NOTHING_SAID, refused, samplesLeft, spent } from '../domain/campaign-rights.ts';
import type { CampaignRights, NoRights } from '../domain/campaign-rights.ts';

export interface GrantsParts {
  readonly bus: Pick<NodeBus, 'ask'>;
  readonly nodeId: string;
  readonly sealing: SealingKeys;
  readonly clock: Clock;
  readonly monotonicMs: () => number;
  readonly log: Logger;
}

type Granted = Extract<ReplyOf<typeof NodeGrant>, { granted: true }>;

/** Uploads wanted with one right. */
const WANTED = 100;
/** Campaigns with an uploader of their own; the one used longest ago goes. */
const UPLOADERS_MAX = 4;
/** Campaigns of which it is remembered what the collector said; the one asked about longest ago goes. */
const CAMPAIGNS_MAX = 1_000;
/** After an answer that was no use. */
const UNUSABLE_RETRY_MS = 5_000;

/** Upload rights per campaign: asked for when needed, opened with the node's own key, and held in memory alone. */
export class Grants {
  readonly #parts: GrantsParts;
  readonly #uploaders = new Map<string, SampleUploader>();
  readonly #rights = new Map<string, CampaignRights>();

  constructor(parts: GrantsParts) {
    this.#parts = parts;
  }

  uploaderFor(campaignId: string): SampleUploader {
    const { clock, monotonicMs } = this.#parts;
    const known = this.#uploaders.get(campaignId);
    const uploader = known ?? new SampleUploader({ obtain: () => this.#obtain(campaignId), monotonicMs, nowMs: () => clock.now() });
    putNewest(this.#uploaders, { key: campaignId, value: uploader, sizeMax: UPLOADERS_MAX });
    return uploader;
  }

  /** Campaigns that no right is to be had for now: it is not time to ask again. */
  withoutRights(): string[] {
    const nowMs = this.#parts.monotonicMs();
    return [...this.#rights].flatMap(([campaignId, rights]) => (isRefused(rights, nowMs) ? [campaignId] : []));
  }

  isRefused(campaignId: string): boolean {
    return isRefused(this.#of(campaignId), this.#parts.monotonicMs());
  }

  isClosed(campaignId: string): boolean {
    return this.#of(campaignId).refusal?.reason === 'campaign-closed';
  }

  /** How many samples the collector still takes; null while it names no end. */
  samplesLeft(campaignId: string): number | null {
    return samplesLeft(this.#of(campaignId), this.#parts.monotonicMs());
  }

  /** A sample is in the store; with the last that the collector takes, the right to upload is at its end. */
  spend(campaignId: string): void {
    const rights = spent(this.#of(campaignId));
    this.#keep(campaignId, rights);
    if (rights.left === 0) this.#uploaders.get(campaignId)?.forget();
  }

  /** What the collector has said of the campaign may not hold any more: it is asked anew with the next upload. */
  forget(campaignId: string): void {
    this.#rights.delete(campaignId);
    this.#uploaders.get(campaignId)?.forget();
  }

  #of(campaignId: string): CampaignRights {
    return this.#rights.get(campaignId) ?? NOTHING_SAID;
  }

  #keep(campaignId: string, rights: CampaignRights): void {
    putNewest(this.#rights, { key: campaignId, value: rights, sizeMax: CAMPAIGNS_MAX });
  }

  async #obtain(campaignId: string): Promise<HeldGrant | undefined> {
    const { bus, nodeId, sealing, monotonicMs, log } = this.#parts;
    if (isRefused(this.#of(campaignId), monotonicMs())) return undefined;
    try {
      const reply = await bus.ask(NodeGrant, { nodeId, campaignId, sealTo: sealing.publicKey, wanted: WANTED });
      if (reply.granted) return this.#open(campaignId, reply);
      log.info({ campaignId, reason: reply.reason }, 'no upload rights now');
      this.#refuse(campaignId, reply.reason, reply.retryAfterMs);
    } catch (cause) {
      if (isRetryable(cause)) log.debug({ campaignId, why: errorText(cause) }, 'nobody to ask for upload rights');
      else this.#unusable(campaignId, { err: cause });
    }
    return undefined;
  }

  #refuse(campaignId: string, reason: NoRights, retryAfterMs: number): void {
    this.#keep(campaignId, refused(this.#of(campaignId), reason, { nowMs: this.#parts.monotonicMs(), retryAfterMs }));
  }

  /** Rights for another node or another prefix are refused: an answer may have been delivered to the wrong one. */
  #open(campaignId: string, reply: Granted): HeldGrant | undefined {
    const { nodeId } = this.#parts;
    const { bucket, keyPrefix, samplesLeft: left } = reply;
    const credentials = this.#unseal(campaignId, reply);
    if (credentials === undefined) return undefined;
    if (credentials.nodeId !== nodeId || keyPrefix !== `${nodeId}/${campaignId}/`) {
      return this.#unusable(campaignId, { forNode: credentials.nodeId, keyPrefix });
    }
    this.#keep(campaignId, granted(left));
    return { bucket, keyPrefix, credentials };
  }

  #unseal(campaignId: string, reply: Granted): UploadCredentials | undefined {
    try {
      return UploadCredentials.parse(JSON.parse(new TextDecoder().decode(openSealed(reply, this.#parts.sealing))));
    } catch (cause) {
      return this.#unusable(campaignId, { err: cause });
    }
  }

  #unusable(campaignId: string, detail: object): undefined {
    this.#refuse(campaignId, 'unusable', UNUSABLE_RETRY_MS);
    this.#parts.log.error({ campaignId, ...detail }, 'upload rights that this node cannot use');
  }
}

function putNewest<T>(map: Map<string, T>, { key, value, sizeMax }: { key: string; value: T; sizeMax: number }): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next().value;
  if (map.size > sizeMax && oldest !== undefined) map.delete(oldest);
}
