import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stack } from '@edgeloop/cli';
import { AskInvite, AskNodes, AskReleases, AskRollouts, AskStartRollout, RunCompleted } from '@edgeloop/contracts';
import type { ModelCard, NodeView, ObjectRef, PackageManifest, RolloutView } from '@edgeloop/contracts';
import { buildManifest, digestOf, writePackage } from '@edgeloop/model-package';
import type { ObjectStore } from '@edgeloop/store';
import { contentKey } from '@edgeloop/store';
import { BLOCK_CLASSES, BLOCK_PIXELS, blockDetector, eventually } from '@edgeloop/testkit';
import type { BlockDetectorOptions } from '@edgeloop/testkit';
import { detectLayout, encodeJpeg, inspectOnnx } from '@edgeloop/vision';

const SIDE = 160;
const CELLS = SIDE / BLOCK_PIXELS;
export const NODES = ['cam-1', 'cam-2', 'cam-3'] as const;
/** Fast enough for a test, slow enough for a busy machine. */
export const STRATEGY = {
  waves: [{ count: 1 }, { percent: 100 }],
  deploymentTimeoutMs: 90_000,
  soakMs: 6_000,
  abort: { failedPercent: 20, failedCountMin: 1 },
  seed: 1,
};
const DEADLINE_MS = 150_000;

/** Grey pictures with blocks of red and blue that the block detector finds. */
export async function blockPicture(number: number): Promise<Uint8Array> {
  const rgb = new Uint8Array(SIDE * SIDE * 3).fill(114);
  for (let block = 0; block < 4; block += 1) {
    const cell = (number * 7 + block * 29) % (CELLS * CELLS);
    const [left, top] = [(cell % CELLS) * BLOCK_PIXELS, Math.floor(cell / CELLS) * BLOCK_PIXELS];
    for (let y = top; y < top + BLOCK_PIXELS; y += 1) {
      for (let x = left; x < left + BLOCK_PIXELS; x += 1) rgb.set(block % 2 === 0 ? [255, 0, 0] : [0, 0, 255], (y * SIDE + x) * 3);
    }
  }
  return encodeJpeg({ rgb, width: SIDE, height: SIDE }, 95);
}

export async function writeFrames(folder: string, count: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (let index = 0; index < count; index += 1)
    await writeFile(join(folder, `${String(index).padStart(3, '0')}.jpg`), await blockPicture(index));
}

/** A fleet of three that looks at blocks, with releases made by hand. */
export class BlockSite {
  readonly stack: Stack;
  readonly store: ObjectStore;
  readonly #frames: string;

  constructor(stack: Stack, store: ObjectStore, frames: string) {
    this.stack = stack;
    this.store = store;
    this.#frames = frames;
  }

  async startNodes(nodeIds: readonly string[] = NODES): Promise<void> {
    for (const nodeId of nodeIds) {
      const { joinToken } = await this.stack.bus.ask(AskInvite, { nodeId }, { timeoutMs: 30_000 });
      const environment = {
        EDGELOOP_FPS: '5',
        EDGELOOP_HEARTBEAT_MS: '500',
        EDGELOOP_TELEMETRY_WINDOW_MS: '1000',
        EDGELOOP_PROBE_FRAMES: '3',
        EDGELOOP_PROBE_MS: '1000',
        EDGELOOP_SYNC_MS: '5000',
      };
      await this.stack.startNode({ nodeId, joinToken, source: `folder:${this.#frames}`, environment });
    }
  }

  card(version: string): ModelCard {
    return {
      name: 'blocks',
      version,
      classes: [...BLOCK_CLASSES],
      input: { width: SIDE, height: SIDE, range: '0..1', order: 'RGB' },
      thresholds: [0.5, 0.5],
      nmsIou: 0.5,
    };
  }

  async storeModel(options: BlockDetectorOptions): Promise<{ bytes: Uint8Array; object: ObjectRef }> {
    const bytes = blockDetector({ side: SIDE, ...options });
    return { bytes, object: await this.store.put({ bucket: 'runs', key: contentKey('models', digestOf(bytes), 'onnx') }, bytes) };
  }

  async goldenPictures(): Promise<ObjectRef[]> {
    const pictures = await Promise.all([3, 5, 8].map((number) => blockPicture(number)));
    return Promise.all(
      pictures.map((bytes) => this.store.put({ bucket: 'datasets', key: contentKey('pictures', digestOf(bytes), 'jpg') }, bytes)),
    );
  }

  /** As a trainer would: a run completed with this model. Resolves when it is a release. */
  async release(version: string, options: BlockDetectorOptions): Promise<string> {
    const { object } = await this.storeModel(options);
    const runId = `run-${version}`;
    const payload = {
      runId,
      model: object,
      card: this.card(version),
      datasetId: null,
      datasetDigest: null,
      gate: null,
      trainSeconds: 0,
      goldenPictures: await this.goldenPictures(),
    };
    await this.stack.bus.publish(RunCompleted, payload, { id: `${runId}-completed` });
    return this.untilReleased(version);
  }

  async untilReleased(version: string): Promise<string> {
    return eventually(
      async () => {
        const { releases } = await this.stack.bus.ask(AskReleases, {});
        const found = releases.find((each) => each.version === version);
        if (!found) throw new Error(`no release ${version} yet`);
        return found.releaseId;
      },
      { deadlineMs: DEADLINE_MS },
    );
  }

  /** A package whose golden vectors were made with other weights than it carries: damage that every digest agrees with. */
  async packageWithForeignGoldens(
    version: string,
  ): Promise<{ archive: ObjectRef; manifest: PackageManifest; model: ObjectRef; digest: string }> {
    const { bytes, object } = await this.storeModel({ fault: 'blind', ballast: 2 });
    const inspection = inspectOnnx(bytes);
    const card = this.card(version);
    const pictures = await Promise.all([3, 5].map((number) => blockPicture(number)));
    const vectors = pictures.map((picture, index) => ({
      picture: `golden/${index}.jpg`,
      pictureDigest: digestOf(picture),
      expected: [{ classId: 0, cx: 0.25, cy: 0.25, w: 0.1, h: 0.1, score: 0.95 }],
    }));
    const shape = detectLayout({
      outputDims: inspection.outputs[0]?.dims as number[],
      inputDims: inspection.inputs[0]?.dims as number[],
      classCount: card.classes.length,
      metadata: inspection.metadata,
    });
    const manifest = buildManifest({
      card,
      model: { digest: digestOf(bytes), bytes: bytes.byteLength },
      inspection,
      shape,
      goldens: { vectors, pictures: new Map(), blind: false },
      origin: { runId: `run-${version}`, datasetId: null, datasetDigest: null },
    });
    const archive = await writePackage({
      manifest,
      model: bytes,
      pictures: new Map(vectors.map((vector, index) => [vector.picture, pictures[index] as Uint8Array])),
    });
    const stored = await this.store.put({ bucket: 'runs', key: contentKey('packages', digestOf(archive), 'zip') }, archive);
    return { archive: stored, manifest, model: object, digest: digestOf(bytes) };
  }

  async rollOut(releaseId: string): Promise<string> {
    const { rolloutId } = await this.stack.bus.ask(
      AskStartRollout,
      { releaseId, strategy: STRATEGY, reason: 'test' },
      { timeoutMs: 30_000 },
    );
    return rolloutId;
  }

  async untilEnded(rolloutId: string): Promise<RolloutView> {
    return eventually(
      async () => {
        const { rollouts } = await this.stack.bus.ask(AskRollouts, {});
        const found = rollouts.find((each) => each.rolloutId === rolloutId);
        if (!found || found.endedAt === null) throw new Error(`rollout is ${found?.status ?? 'unknown'}`);
        return found;
      },
      { deadlineMs: DEADLINE_MS },
    );
  }

  async nodes(): Promise<readonly NodeView[]> {
    return (await this.stack.bus.ask(AskNodes, {})).nodes;
  }
}
