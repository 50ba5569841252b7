import { isRetryable } from '@edgeloop/bus/node';
import type { NodeBus } from '@edgeloop/bus/node';
import { NodeManifest, NodeReceipts, RECEIPTS_PER_REQUEST_MAX } from '@edgeloop/contracts';
import type { ObjectRef } from '@edgeloop/contracts';
import { backoffMs } from '@edgeloop/runtime';
import type { Logger } from '@edgeloop/runtime';
import { errorText } from '../adapters/durable-files.ts';
import type { SampleSpool, SpooledSample } from '../adapters/spool/sample-spool.ts';
import type { Grants } from './grants.ts';
import { Bell } from './repeat.ts';

export interface SendSamplesParts {
  readonly bus: Pick<NodeBus, 'ask' | 'publishFact' | 'onStatus'>;
  readonly nodeId: string;
  readonly epoch: () => string;
  readonly spool: SampleSpool;
  readonly grants: Grants;
  readonly pollMs: number;
  readonly chance: () => number;
  readonly log: Logger;
}

/** Uploads in one round, so that receipts are asked for in between. */
const ROUND_MAX = 20;
const IDLE_MS = 30_000;
const POLL_MAX_MS = 30_000;

/** Brings kept frames home: object, then manifest, then the collector's receipt; only then are they forgotten. */
export class SendSamples {
  readonly #parts: SendSamplesParts;
  readonly #bell = new Bell();
  #quietRounds = 0;

  constructor(parts: SendSamplesParts) {
    this.#parts = parts;
    parts.bus.onStatus((status) => {
      if (status.state === 'connected') this.ring();
    });
  }

  /** A frame was kept, or the bus is back. */
  ring(): void {
    this.#quietRounds = 0;
    this.#bell.ring();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const moved = await this.#round(signal).catch((cause: unknown) => {
        if (isRetryable(cause)) this.#parts.log.debug({ why: errorText(cause) }, 'samples wait for the bus');
        else this.#parts.log.error({ err: cause }, 'samples could not be sent');
        return false;
      });
      this.#quietRounds = moved ? 0 : this.#quietRounds + 1;
      await this.#bell.wait(this.#pauseMs(), signal);
    }
  }

  #pauseMs(): number {
    const { spool, pollMs, chance } = this.#parts;
    if (spool.stats().items === 0) return IDLE_MS;
    return this.#quietRounds === 0 ? pollMs : backoffMs(this.#quietRounds, { firstMs: pollMs, maxMs: POLL_MAX_MS }, chance());
  }

  /** True when anything moved on. */
  async #round(signal: AbortSignal): Promise<boolean> {
    let moved = false;
    for (const sample of this.#parts.spool.atStage('kept', ROUND_MAX)) {
      if (signal.aborted) return moved;
      const uploaded = await this.#upload(sample);
      if (uploaded === 'away') break;
      moved ||= uploaded === 'moved';
    }
    for (const sample of this.#parts.spool.atStage('stored', ROUND_MAX)) {
      if (signal.aborted) return moved;
      await this.#announce(sample);
      moved = true;
    }
    return (await this.#askReceipts()) || moved;
  }

  async #upload(sample: SpooledSample): Promise<'moved' | 'stays' | 'away'> {
    const { spool, grants, log } = this.#parts;
    const { sampleId, campaignId } = sample.facts;
    const picture = spool.picture(sampleId);
    if (picture === undefined) return 'stays';
    const outcome = await grants.uploaderFor(campaignId).upload(picture);
    if (outcome.kind === 'stored') {
      // An upload of what the collector was told of before is no other sample.
      if (sample.announcements === 0) grants.spend(campaignId);
      return this.#stored(sample, outcome.object);
    }
    if (grants.isClosed(campaignId)) {
      spool.settle(sampleId, 'declined');
      log.info({ sampleId, campaignId }, 'the campaign has closed: a kept frame is not wanted any more');
      return 'moved';
    }
    if (outcome.kind === 'refused')
      log.error({ sampleId, campaignId, cause: outcome.cause, detail: outcome.detail }, 'the store refused a sample');
    // No rights in one campaign says nothing about the next sample's; a store that is away says it about all.
    return outcome.kind === 'later' && outcome.cause !== 'no-grant' ? 'away' : 'stays';
  }

  #stored({ facts }: SpooledSample, object: ObjectRef): 'moved' {
    const { spool, log } = this.#parts;
    if (object.digest === `sha256:${facts.sampleId}`) {
      spool.markStored(facts.sampleId, object);
    } else {
      spool.settle(facts.sampleId, 'declined');
      log.error({ sampleId: facts.sampleId, found: object.digest }, 'a kept frame was damaged on this disk; it is dropped');
    }
    return 'moved';
  }

  async #announce({ facts, object, sequence, announcements }: SpooledSample): Promise<void> {
    const { bus, nodeId, spool, epoch, log } = this.#parts;
    if (object === null) return;
    const id = `${nodeId}.${epoch()}.manifest.${sequence}.${announcements}`;
    try {
      await bus.publishFact(NodeManifest, { ...facts, nodeId, epoch: epoch(), sequence, object }, { id });
    } catch (cause) {
      if (isRetryable(cause)) throw cause;
      log.error({ err: cause, sampleId: facts.sampleId }, 'a manifest cannot be sent, now or later: its frame is dropped');
      spool.settle(facts.sampleId, 'declined');
      return;
    }
    spool.markAnnounced(facts.sampleId);
    log.info({ sampleId: facts.sampleId, campaignId: facts.campaignId, rule: facts.why.rule }, 'sample sent');
  }

  async #askReceipts(): Promise<boolean> {
    const { bus, nodeId, spool } = this.#parts;
    const awaited = new Map(spool.atStage('announced', RECEIPTS_PER_REQUEST_MAX).map(({ facts }) => [facts.sampleId, facts]));
    if (awaited.size === 0) return false;
    const { accepted, quarantined, unknown } = await bus.ask(NodeReceipts, { nodeId, sampleIds: [...awaited.keys()] });
    for (const sampleId of accepted) spool.settle(sampleId, 'accepted');
    for (const { sampleId, reason } of quarantined) this.#quarantined(sampleId, { reason, campaignId: awaited.get(sampleId)?.campaignId });
    for (const sampleId of unknown) spool.countUnknown(sampleId);
    return accepted.length + quarantined.length > 0;
  }

  /** The campaign does not count it: the collector may take another in its place. */
  #quarantined(sampleId: string, { reason, campaignId }: { reason: string; campaignId: string | undefined }): void {
    const { spool, grants, log } = this.#parts;
    spool.settle(sampleId, 'quarantined');
    if (campaignId !== undefined) grants.forget(campaignId);
    log.warn({ sampleId, campaignId, reason }, 'the collector put a sample into quarantine');
  }
}
