import type { Bus, Cause } from '@edgeloop/bus';
import { SampleAccepted, SampleQuarantined, type SampleManifest } from '@edgeloop/contracts';
import { isoOf, type Clock } from '@edgeloop/runtime';
import type { Rejection } from '../domain/manifest-claims.ts';
import type { LedgerReceipt } from '../domain/receipt.ts';
import type { SampleLedger } from '../ports.ts';

const REASON_CHARS_MAX = 1_000;

/** The SAMPLES stream: it holds each subject once for ever, whoever publishes how often. */
export class BusLedger implements SampleLedger {
  readonly #bus: Bus;
  readonly #clock: Clock;

  constructor(bus: Bus, clock: Clock) {
    this.#bus = bus;
    this.#clock = clock;
  }

  async accept(nodeId: string, manifest: SampleManifest, cause: Cause): Promise<boolean> {
    const entry = { nodeId, sampleId: manifest.sampleId, manifest, acceptedAt: isoOf(this.#clock.now()) };
    const receipt = await this.#bus.publish(SampleAccepted, entry, { id: `sample-${nodeId}-${manifest.sampleId}`, cause });
    return !receipt.duplicate;
  }

  async quarantine(nodeId: string, manifest: SampleManifest, why: { rejection: Rejection; cause: Cause }): Promise<void> {
    const { sampleId, object } = manifest;
    const known = await this.#bus.lastOf(SampleQuarantined, { nodeId, sampleId });
    if (known?.payload.cause === why.rejection.cause) return;
    const { cause, reason } = why.rejection;
    await this.#bus.publish(
      SampleQuarantined,
      { nodeId, sampleId, cause, reason: reason.slice(0, REASON_CHARS_MAX), object },
      { id: `quarantine-${nodeId}-${sampleId}-${cause}`, cause: why.cause, expectLastSubjectSequence: known?.context.streamSequence ?? 0 },
    );
  }

  async receiptOf(nodeId: string, sampleId: string): Promise<LedgerReceipt> {
    if ((await this.#bus.lastOf(SampleAccepted, { nodeId, sampleId })) !== undefined) return { kind: 'accepted' };
    const refused = await this.#bus.lastOf(SampleQuarantined, { nodeId, sampleId });
    return refused === undefined
      ? { kind: 'unknown' }
      : { kind: 'quarantined', cause: refused.payload.cause, reason: refused.payload.reason };
  }
}
