import { connectNode, type NodeBus } from '@edgeloop/bus';
import {
  NodeGrant,
  NodeManifest,
  NodeReceipts,
  UploadCredentials,
  type PayloadOf,
  type ReplyOf,
  type SampleManifest,
} from '@edgeloop/contracts';
import { createSealingKeys, openSealed, SampleUploader, sha256Hex, type HeldGrant, type UploadOutcome } from '@edgeloop/store/uploader';
import type { TestEngines } from '@edgeloop/testkit';
import { nodeUserJwt } from '@edgeloop/trust/node-user';
import { createUser } from '@nats-io/jwt';
import sharp from 'sharp';

/** A camera as far as samples are concerned: asks for rights, uploads, says what it uploaded, asks for receipts. */
export class CameraNode {
  readonly nodeId: string;
  readonly bus: NodeBus;
  readonly keys = createSealingKeys();
  campaignId = 'base';
  #sequence = 0;

  private constructor(nodeId: string, bus: NodeBus) {
    this.nodeId = nodeId;
    this.bus = bus;
  }

  static async connect(suite: TestEngines, nodeId: string): Promise<CameraNode> {
    const key = createUser();
    const jwt = await nodeUserJwt({ nodeId, publicKey: key.getPublicKey(), signingKey: await suite.signingKey() });
    const seed = new TextDecoder().decode(key.getSeed());
    const bus = connectNode({ url: String(suite.environment.NATS_URL), nodeId, creds: { jwt, seed } });
    if (!(await bus.ready(15_000))) throw new Error(`node ${nodeId} does not reach the bus`);
    return new CameraNode(nodeId, bus);
  }

  askGrant(changes: Partial<PayloadOf<typeof NodeGrant>> = {}): Promise<ReplyOf<typeof NodeGrant>> {
    return this.bus.ask(NodeGrant, {
      nodeId: this.nodeId,
      campaignId: this.campaignId,
      sealTo: this.keys.publicKey,
      wanted: 100,
      ...changes,
    });
  }

  async obtain(): Promise<HeldGrant | undefined> {
    const answer = await this.askGrant();
    if (!answer.granted) return undefined;
    const credentials = UploadCredentials.parse(JSON.parse(Buffer.from(openSealed(answer, this.keys)).toString()));
    return { bucket: answer.bucket, keyPrefix: answer.keyPrefix, credentials };
  }

  upload(bytes: Uint8Array): Promise<UploadOutcome> {
    const uploader = new SampleUploader({ obtain: () => this.obtain(), monotonicMs: () => performance.now(), nowMs: Date.now });
    return uploader.upload(bytes);
  }

  manifestOf(bytes: Uint8Array, changes: Partial<SampleManifest> = {}): SampleManifest {
    const sampleId = sha256Hex(bytes);
    return {
      nodeId: this.nodeId,
      epoch: 'epoch-one',
      sequence: this.#sequence++,
      sampleId,
      object: {
        bucket: 'samples',
        key: `${this.nodeId}/${this.campaignId}/${sampleId}.jpg`,
        digest: `sha256:${sampleId}`,
        bytes: bytes.length,
      },
      campaignId: this.campaignId,
      capturedAt: new Date().toISOString(),
      picture: { width: 64, height: 48, brightness: 0.15, sharpness: 0.01, dhash: sampleId.slice(0, 16) },
      model: null,
      why: { policyId: 'drift', policyVersion: 1, rule: 'dark', inclusionProbability: 1 },
      predictions: [{ classId: 0, cx: 0.5, cy: 0.5, w: 0.2, h: 0.2, score: 0.4 }],
      ...changes,
    };
  }

  /** `again` makes a message of its own of it, as a node does that has not heard of a receipt. */
  async announce(manifest: SampleManifest, again = 0): Promise<void> {
    await this.bus.publishFact(NodeManifest, manifest, { id: `${this.nodeId}-${manifest.epoch}-${manifest.sequence}-${again}` });
  }

  async deliver(bytes: Uint8Array): Promise<SampleManifest> {
    const outcome = await this.upload(bytes);
    if (outcome.kind !== 'stored') throw new Error(`not uploaded: ${JSON.stringify(outcome)}`);
    const manifest = this.manifestOf(bytes);
    await this.announce(manifest);
    return manifest;
  }

  receipts(...sampleIds: string[]): Promise<ReplyOf<typeof NodeReceipts>> {
    return this.bus.ask(NodeReceipts, { nodeId: this.nodeId, sampleIds });
  }

  /** For a sample of the campaign that it cannot upload (again). */
  receiptAfterClose(sampleId: string, announced: boolean): Promise<ReplyOf<typeof NodeReceipts>> {
    const closed = [{ sampleId, campaignId: this.campaignId, announced }];
    return this.bus.ask(NodeReceipts, { nodeId: this.nodeId, sampleIds: [sampleId], closed });
  }
}

/** A small JPEG that differs from every other by its seed. */
export function pictureOf(seed: number): Promise<Buffer> {
  const background = { r: (seed * 37) % 256, g: (seed * 101) % 256, b: (seed * 7) % 256 };
  const pixels = Buffer.alloc(64 * 48 * 3);
  for (let index = 0; index < pixels.length; index++) pixels[index] = (index * (seed + 3)) % 251;
  return sharp(pixels, { raw: { width: 64, height: 48, channels: 3 } })
    .tint(background)
    .jpeg({ quality: 90 })
    .toBuffer();
}
