import type { NodeBus } from '@edgeloop/bus/node';
import { NodeGrant, UploadCredentials } from '@edgeloop/contracts';
import type { ReplyOf } from '@edgeloop/contracts';
import type { Clock, Logger } from '@edgeloop/runtime';
import { openSealed, SampleUploader } from '@edgeloop/store/uploader';
import type { HeldGrant, SealingKeys } from '@edgeloop/store/uploader';
import { errorText } from '../adapters/durable-files.ts';

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

interface Campaign {
  readonly uploader: SampleUploader;
  /** The collector said that it takes no more, for good. */
  closed: boolean;
  askAgainAtMs: number;
}

/** Upload rights per campaign: asked for when needed, opened with the node's own key, and held in memory alone. */
export class Grants {
  readonly #parts: GrantsParts;
  readonly #campaigns = new Map<string, Campaign>();

  constructor(parts: GrantsParts) {
    this.#parts = parts;
  }

  uploaderFor(campaignId: string): SampleUploader {
    return this.#of(campaignId).uploader;
  }

  isClosed(campaignId: string): boolean {
    return this.#campaigns.get(campaignId)?.closed === true;
  }

  #of(campaignId: string): Campaign {
    const { clock, monotonicMs } = this.#parts;
    const known = this.#campaigns.get(campaignId);
    const campaign: Campaign = known ?? {
      uploader: new SampleUploader({ obtain: () => this.#obtain(campaignId), monotonicMs, nowMs: () => clock.now() }),
      closed: false,
      askAgainAtMs: 0,
    };
    this.#campaigns.delete(campaignId);
    this.#campaigns.set(campaignId, campaign);
    const oldest = this.#campaigns.keys().next().value;
    if (this.#campaigns.size > UPLOADERS_MAX && oldest !== undefined) this.#campaigns.delete(oldest);
    return campaign;
  }

  async #obtain(campaignId: string): Promise<HeldGrant | undefined> {
    const { bus, nodeId, sealing, monotonicMs, log } = this.#parts;
    const campaign = this.#of(campaignId);
    if (campaign.closed || monotonicMs() < campaign.askAgainAtMs) return undefined;
    try {
      const reply = await bus.ask(NodeGrant, { nodeId, campaignId, sealTo: sealing.publicKey, wanted: WANTED });
      if (reply.granted) return this.#open(campaignId, reply);
      log.info({ campaignId, reason: reply.reason }, 'no upload rights now');
      campaign.closed = reply.reason === 'campaign-closed';
      campaign.askAgainAtMs = monotonicMs() + reply.retryAfterMs;
    } catch (cause) {
      log.debug({ campaignId, why: errorText(cause) }, 'nobody to ask for upload rights');
    }
    return undefined;
  }

  /** Rights for another node or another prefix are refused: an answer may have been delivered to the wrong one. */
  #open(campaignId: string, reply: Granted): HeldGrant | undefined {
    const { nodeId, sealing, log } = this.#parts;
    const credentials = UploadCredentials.parse(JSON.parse(new TextDecoder().decode(openSealed(reply, sealing))));
    if (credentials.nodeId === nodeId && reply.keyPrefix === `${nodeId}/${campaignId}/`) {
      return { bucket: reply.bucket, keyPrefix: reply.keyPrefix, credentials };
    }
    log.error({ campaignId, forNode: credentials.nodeId, keyPrefix: reply.keyPrefix }, 'upload rights that are not for this node; ignored');
    return undefined;
  }
}
