import { Refusal } from '@edgeloop/bus';
import type { NodeGrant, ReplyOf, UploadCredentials } from '@edgeloop/contracts';
import { isoOf, type Logger } from '@edgeloop/runtime';
import { sealFor, type SealingKeys, UnsealableError, type UploadGrants } from '@edgeloop/store';
import { decideGrant } from '../domain/grant-decision.ts';
import type { Campaigns, LedgerCounts } from '../ports.ts';

type GrantReply = ReplyOf<typeof NodeGrant>;

export interface GrantUploadParts {
  readonly campaigns: Campaigns;
  readonly counts: LedgerCounts;
  readonly grants: UploadGrants;
  readonly keys: SealingKeys;
  /** Resolves once write-only rights were proved; no right is handed out before. */
  readonly proved: () => boolean;
  readonly log: Logger;
}

/** A node asks again after this. */
const NOT_READY_MS = 3_000;
/** A closed campaign or a spent budget stays so; the node hears of a new campaign by its desired state. */
const REFUSED_MS = 60_000;

/** Upload rights for one node in one campaign, readable by that node alone. */
export class GrantUpload {
  readonly #parts: GrantUploadParts;

  constructor(parts: GrantUploadParts) {
    this.#parts = parts;
  }

  /** `nodeId` is the name that the bus vouches for. */
  async handle(nodeId: string, asked: { campaignId: string; sealTo: string }): Promise<GrantReply> {
    const { campaigns, counts, log, proved } = this.#parts;
    if (!proved()) return { granted: false, reason: 'not-ready', retryAfterMs: NOT_READY_MS };
    await counts.catchUp();
    const decision = decideGrant(await campaigns.current(), { nodeId, campaignId: asked.campaignId }, counts.of(asked.campaignId, nodeId));
    if (!decision.granted) {
      log.info({ nodeId, campaignId: asked.campaignId, reason: decision.reason }, 'upload rights refused');
      return { granted: false, reason: decision.reason, retryAfterMs: REFUSED_MS };
    }
    return this.#open(nodeId, asked, decision.samplesLeft);
  }

  async #open(nodeId: string, { campaignId, sealTo }: { campaignId: string; sealTo: string }, samplesLeft: number): Promise<GrantReply> {
    const { grants, keys, log } = this.#parts;
    try {
      const session = await grants.open(nodeId, campaignId);
      const plain: UploadCredentials = { nodeId, ...session.credentials };
      const sealed = sealFor(sealTo, Buffer.from(JSON.stringify(plain)), keys);
      const { bucket, keyPrefix, expiresAtMs } = session;
      log.info({ nodeId, campaignId, samplesLeft, expiresAt: isoOf(expiresAtMs) }, 'upload rights granted');
      return { granted: true, bucket, keyPrefix, expiresAt: isoOf(expiresAtMs), samplesLeft, ...sealed };
    } catch (failure) {
      if (failure instanceof UnsealableError) throw new Refusal('bad-key', failure.message);
      log.error({ err: failure, nodeId, campaignId }, 'no upload rights to be had from the store; nodes keep their samples');
      return { granted: false, reason: 'not-ready', retryAfterMs: NOT_READY_MS };
    }
  }
}
