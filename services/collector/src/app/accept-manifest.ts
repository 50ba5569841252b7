import type { MessageContext } from '@edgeloop/bus';
import type { SampleManifest } from '@edgeloop/contracts';
import type { Logger } from '@edgeloop/runtime';
import { digestOf, ObjectNotFoundError, ObjectTooLargeError, type ObjectStore } from '@edgeloop/store';
import { DecoderFailedError, ObjectNotYetThereError } from '../domain/errors.ts';
import { isFinal, judgeClaims, judgeDimensions, judgeObject, type IntakeLimits, type Rejection } from '../domain/manifest-claims.ts';
import { judgeContainer } from '../domain/picture-container.ts';
import type { Decoded, PictureDecoder, RedeliveryTally, SampleLedger } from '../ports.ts';

/** Deliveries (with growing pauses between them) after which a missing object counts as lost. */
export const OBJECT_TRIES_MAX = 6;
/** Deliveries after which a picture on which the decoder dies or hangs is put aside. */
export const DECODER_TRIES_MAX = 4;

export interface PictureLimits extends IntakeLimits {
  readonly pixelsMax: number;
}

export interface AcceptManifestParts {
  readonly store: ObjectStore;
  readonly ledger: SampleLedger;
  readonly decoder: PictureDecoder;
  readonly tally: RedeliveryTally;
  readonly limits: PictureLimits;
  readonly log: Logger;
}

/** Manifest in, ledger entry or quarantine out; safe to repeat at any point. */
export class AcceptManifest {
  readonly #parts: AcceptManifestParts;

  constructor(parts: AcceptManifestParts) {
    this.#parts = parts;
  }

  /** A campaign that has closed meanwhile makes no difference: what a node was let upload is taken. */
  async handle(manifest: SampleManifest, context: MessageContext): Promise<void> {
    const { ledger, tally, log } = this.#parts;
    const nodeId = context.tokens['nodeId'] ?? manifest.nodeId;
    if (context.deliveries > 1) tally.add();
    const known = await ledger.receiptOf(nodeId, manifest.sampleId);
    if (known.kind === 'accepted' || (known.kind === 'quarantined' && isFinal(known.cause))) {
      if (context.deliveries === 1) tally.add();
      return;
    }
    const rejection = await this.#inspect(manifest, nodeId, context.deliveries);
    const about = { messageId: context.id, correlationId: context.correlationId, nodeId, sampleId: manifest.sampleId };
    if (rejection === undefined) {
      await ledger.accept(nodeId, manifest, context);
      log.info({ ...about, campaignId: manifest.campaignId, rule: manifest.why.rule }, 'sample accepted');
      return;
    }
    await ledger.quarantine(nodeId, manifest, { rejection, cause: context });
    log.warn({ ...about, ...rejection }, 'sample quarantined');
  }

  async #inspect(manifest: SampleManifest, nodeId: string, deliveries: number): Promise<Rejection | undefined> {
    const { limits } = this.#parts;
    const claims = judgeClaims(manifest, nodeId, limits);
    if (claims !== undefined) return claims;
    const fetched = await this.#fetch(manifest, deliveries);
    if ('cause' in fetched) return fetched;
    const { bytes } = fetched;
    const stored = judgeObject(manifest, { digest: digestOf(bytes), bytes: bytes.length }) ?? judgeContainer(bytes, limits.pixelsMax);
    if (stored !== undefined) return stored;
    return this.#judgePixels(manifest, bytes, deliveries);
  }

  async #fetch(manifest: SampleManifest, deliveries: number): Promise<{ bytes: Uint8Array } | Rejection> {
    const { store, limits } = this.#parts;
    try {
      return { bytes: await store.read(manifest.object, { bytesMax: limits.objectBytesMax }) };
    } catch (failure) {
      if (failure instanceof ObjectTooLargeError) return { cause: 'too-large', reason: failure.message };
      if (!(failure instanceof ObjectNotFoundError)) throw failure;
      if (deliveries < OBJECT_TRIES_MAX) throw new ObjectNotYetThereError(manifest.object.key);
      return { cause: 'object-missing', reason: `not in the store after ${deliveries} looks; send object and manifest again` };
    }
  }

  async #judgePixels(manifest: SampleManifest, bytes: Uint8Array, deliveries: number): Promise<Rejection | undefined> {
    const decoded = await this.#decode(bytes, deliveries);
    if ('cause' in decoded) return decoded;
    return decoded.ok ? judgeDimensions(manifest, decoded) : { cause: 'undecodable', reason: decoded.reason };
  }

  async #decode(bytes: Uint8Array, deliveries: number): Promise<Decoded | Rejection> {
    try {
      return await this.#parts.decoder.decode(bytes);
    } catch (failure) {
      if (!(failure instanceof DecoderFailedError) || deliveries < DECODER_TRIES_MAX) throw failure;
      return { cause: 'decoder-stuck', reason: `${failure.message} each of ${deliveries} times` };
    }
  }
}
