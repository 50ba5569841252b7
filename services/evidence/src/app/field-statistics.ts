import type { Cause, Document, Documents, Output, Subscription } from '@edgeloop/bus';
import { type AskField, NodeDrifted, NodeSettled, type NodeTelemetry, type PayloadOf, type ReplyOf } from '@edgeloop/contracts';
import { outputsOf } from '../domain/field-output.ts';
import { type DriftLimits, type NodeField, observe, unknownNode } from '../domain/node-field.ts';
import { overNodes, type ReleaseField } from '../domain/release-totals.ts';

export type FieldDocuments = Pick<Documents<NodeField>, 'update' | 'watch'>;

const CONTRACTS = { drifted: NodeDrifted, settled: NodeSettled } as const;

type FieldView = ReplyOf<typeof AskField>['nodes'][number];
type ReleaseFieldView = ReplyOf<typeof AskField>['releases'][number];

/**
 * Keeps the statistics of every node. The state of a node is one document, written by revision together with what is to be said about it,
 * so any replica may take the next batch, and a batch that comes twice changes nothing.
 */
export class FieldStatistics {
  readonly #documents: FieldDocuments;
  readonly #limits: DriftLimits;
  readonly #fields = new Map<string, NodeField>();

  constructor(documents: FieldDocuments, limits: DriftLimits) {
    this.#documents = documents;
    this.#limits = limits;
  }

  /** Feeds the view of all nodes from the bucket: present documents, then every change. */
  follow(): Promise<Subscription> {
    return this.#documents.watch((nodeId, document) => this.#show(nodeId, document));
  }

  async take(batch: PayloadOf<typeof NodeTelemetry>, cause: Cause): Promise<void> {
    await this.#documents.update(batch.nodeId, (known) => this.#decide(known ?? unknownNode(batch.nodeId), batch), cause);
  }

  nodes(): FieldView[] {
    return [...this.#fields.values()].map(viewOf).toSorted((one, other) => one.nodeId.localeCompare(other.nodeId));
  }

  releases(): ReleaseFieldView[] {
    return overNodes([...this.#fields.values()].map((field) => field.releases)).map(releaseViewOf);
  }

  #decide(field: NodeField, batch: PayloadOf<typeof NodeTelemetry>): { state: NodeField; outputs: readonly Output[] } | undefined {
    // The broker vouches for the batch's node only; windows that speak for another are not this node's to send.
    const own = batch.windows.filter((window) => window.nodeId === batch.nodeId);
    const { field: state, events } = observe(field, own, this.#limits);
    if (events.length === 0) return undefined;
    return { state, outputs: outputsOf(field, events).map(({ says, id, payload }) => ({ contract: CONTRACTS[says], id, payload })) };
  }

  #show(nodeId: string, document: Document<NodeField> | undefined): void {
    if (document === undefined) this.#fields.delete(nodeId);
    else this.#fields.set(nodeId, document.state);
  }
}

function viewOf(field: NodeField): FieldView {
  const measures = field.last?.measures ?? {};
  return {
    nodeId: field.nodeId,
    releaseId: field.releaseId,
    windows: field.totals.windows,
    releaseWindows: field.releases.find((each) => each.releaseId === field.releaseId)?.windows ?? 0,
    frames: field.totals.frames,
    detectionsPerFrame: measures['detections-per-frame'] ?? 0,
    brightness: measures.brightness ?? 0,
    sharpness: measures.sharpness ?? 0,
    framesPerSecond: field.last?.framesPerSecond ?? 0,
    drifted: field.drifted,
    lastWindowAt: field.last?.at ?? null,
  };
}

function releaseViewOf({ releaseId, nodes, windows, frames, emptyFrames, detections }: ReleaseField): ReleaseFieldView {
  const perFrame = (count: number): number => (frames === 0 ? 0 : count / frames);
  return { releaseId, nodes, windows, frames, detectionsPerFrame: perFrame(detections), emptyShare: perFrame(emptyFrames) };
}
