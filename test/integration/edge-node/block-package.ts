import { rm, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelCard, PackageManifest } from '@edgeloop/contracts';
import { buildManifest, digestOf, makeGoldens, writePackage } from '@edgeloop/model-package';
import { BLOCK_CLASSES, BLOCK_PIXELS, blockDetector } from '@edgeloop/testkit';
import type { BlockDetectorOptions } from '@edgeloop/testkit';
import { Detector, encodeJpeg, inspectOnnx } from '@edgeloop/vision';

export const SIDE = 160;
const CELLS = SIDE / BLOCK_PIXELS;

/** Grey with a few blocks of red and blue, which the block detector finds; no two numbers look alike. */
export async function blockPicture(number: number): Promise<Uint8Array> {
  const rgb = new Uint8Array(SIDE * SIDE * 3).fill(100 + (number % 40));
  for (let block = 0; block < 4; block += 1) {
    const cell = (number * 13 + block * 29) % (CELLS * CELLS);
    const [left, top] = [(cell % CELLS) * BLOCK_PIXELS, Math.floor(cell / CELLS) * BLOCK_PIXELS];
    for (let y = top; y < top + BLOCK_PIXELS; y += 1) {
      for (let x = left; x < left + BLOCK_PIXELS; x += 1) rgb.set(block % 2 === 0 ? [255, 0, 0] : [0, 0, 255], (y * SIDE + x) * 3);
    }
  }
  return encodeJpeg({ rgb, width: SIDE, height: SIDE }, 95);
}

export interface BlockPackageOptions {
  readonly version: string;
  readonly model?: BlockDetectorOptions;
  /** The weights that the golden answers are of; the packager would have noticed. Default: the same. */
  readonly goldensOf?: BlockDetectorOptions;
  /** Put in place of the weights after the goldens were made. */
  readonly modelBytes?: Uint8Array;
}

export interface BlockPackage {
  readonly manifest: PackageManifest;
  readonly model: Uint8Array;
  readonly archive: Uint8Array;
}

/** A real package of a real model, made as the packager makes it; or one that lies about itself. */
export async function blockPackage(options: BlockPackageOptions): Promise<BlockPackage> {
  const model = options.modelBytes ?? blockDetector({ side: SIDE, ...options.model });
  const reference = blockDetector({ side: SIDE, ...(options.goldensOf ?? options.model) });
  const { detector, goldens } = await goldensWith(reference);
  const card: ModelCard = {
    name: 'blocks',
    version: options.version,
    classes: [...BLOCK_CLASSES],
    input: { width: SIDE, height: SIDE, range: '0..1', order: 'RGB' },
    thresholds: [0.5, 0.5],
    nmsIou: 0.5,
  };
  const manifest = buildManifest({
    card,
    model: { digest: digestOf(model), bytes: model.byteLength },
    inspection: inspectOnnx(reference),
    shape: detector.shape,
    goldens,
    origin: { runId: `run-${options.version}`, datasetId: null, datasetDigest: null },
  });
  return { manifest, model, archive: await writePackage({ manifest, model, pictures: goldens.pictures }) };
}

async function goldensWith(reference: Uint8Array) {
  const folder = await mkdtemp(join(tmpdir(), 'edgeloop-goldens-'));
  try {
    const modelPath = join(folder, 'reference.onnx');
    await writeFile(modelPath, reference);
    const detector = await Detector.load({ modelPath, thresholds: { score: 0.25, iou: 0.5 } });
    const goldens = await makeGoldens(detector, await Promise.all([blockPicture(3), blockPicture(8)]));
    await detector.close();
    return { detector, goldens };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
