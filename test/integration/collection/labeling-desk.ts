import type { Bus } from '@edgeloop/bus';
import {
  AskImportDataset,
  DatasetSnapshot,
  DatasetSnapshotted,
  SampleAccepted,
  type ObjectRef,
  type SampleManifest,
} from '@edgeloop/contracts';
import { digestOf, hexOf, jsonBytes, readVerified, sampleKey, sha256Hex, type ObjectStore } from '@edgeloop/store';
import { pictureOf } from './camera-node.ts';

export const BOX = { classId: 0, cx: 0.5, cy: 0.5, w: 0.25, h: 0.25 };

export interface Answer {
  readonly status: number;
  readonly body: any;
}

/** People and importers around a labeling bridge, through its public interfaces. */
export class LabelingDesk {
  readonly #parts: { readonly bus: () => Bus; readonly store: ObjectStore; readonly url: () => string };

  constructor(parts: { bus: () => Bus; store: ObjectStore; url: () => string }) {
    this.#parts = parts;
  }

  async call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Answer> {
    const init =
      body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const answer = await fetch(`${this.#parts.url()}${path}`, { method, ...init });
    return { status: answer.status, body: await answer.json() };
  }

  async openTasks(): Promise<any[]> {
    return (await this.call('GET', '/v1/tasks?status=open&limit=500')).body.tasks;
  }

  /** What the collector does with a sample, without the collector. */
  async acceptSample(seed: number, changes: { campaignId?: string; brightness?: number; nodeId?: string } = {}): Promise<string> {
    const { campaignId = 'base', brightness = 0.15, nodeId = 'n1' } = changes;
    const bytes = await pictureOf(seed);
    const sampleId = sha256Hex(bytes);
    const object = await this.#parts.store.put({ bucket: 'samples', key: sampleKey(nodeId, campaignId, sampleId) }, bytes);
    const manifest: SampleManifest = {
      nodeId,
      epoch: 'epoch-one',
      sequence: seed,
      sampleId,
      object,
      campaignId,
      capturedAt: new Date(Date.UTC(2026, 10, 23) + seed * 60_000).toISOString(),
      picture: { width: 64, height: 48, brightness, sharpness: 0, dhash: sampleId.slice(0, 16) },
      model: null,
      why: { policyId: 'drift', policyVersion: 2, rule: 'dark', inclusionProbability: 1 },
      predictions: [{ ...BOX, score: 0.4 }],
    };
    const entry = { nodeId, sampleId, manifest, acceptedAt: new Date().toISOString() };
    await this.#parts.bus().publish(SampleAccepted, entry, { id: `sample-${nodeId}-${sampleId}` });
    return sampleId;
  }

  async importedPicture(seed: number): Promise<ObjectRef> {
    const bytes = await pictureOf(seed);
    return this.#parts.store.put({ bucket: 'datasets', key: `pictures/${sha256Hex(bytes)}.jpg` }, bytes);
  }

  async listOf(content: unknown): Promise<ObjectRef> {
    const bytes = typeof content === 'string' ? Buffer.from(content) : jsonBytes(content);
    return this.#parts.store.put({ bucket: 'datasets', key: `imports/${hexOf(digestOf(bytes))}.json` }, bytes);
  }

  async importList(content: unknown): Promise<{ datasetId: string; version: number }> {
    return this.#parts.bus().ask(AskImportDataset, { list: await this.listOf(content), reason: 'spec' }, { timeoutMs: 60_000 });
  }

  async snapshotOf(datasetId: string): Promise<DatasetSnapshot> {
    const announced = await this.#parts.bus().lastOf(DatasetSnapshotted, { datasetId });
    const bytes = await readVerified(this.#parts.store, announced!.payload.manifest);
    return DatasetSnapshot.parse(JSON.parse(Buffer.from(bytes).toString()));
  }

  async label(taskId: string, boxes: unknown[] = [BOX], annotator = 'ann'): Promise<Answer> {
    await this.call('POST', `/v1/tasks/${taskId}/claim`, { annotator });
    return this.call('POST', `/v1/tasks/${taskId}/answer`, { annotator, boxes });
  }
}
