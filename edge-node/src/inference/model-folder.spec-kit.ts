import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ModelCard, PackageManifest } from '@edgeloop/contracts';
import { buildManifest, digestOf, makeGoldens, manifestText } from '@edgeloop/model-package';
import { BLOCK_CLASSES, BLOCK_PIXELS, blockDetector } from '@edgeloop/testkit';
import type { BlockDetectorOptions } from '@edgeloop/testkit';
import { Detector, encodeJpeg, inspectOnnx } from '@edgeloop/vision';

export const SIDE = 160;
const COLOURS = { red: [255, 0, 0], blue: [0, 0, 255] } as const;

/** A JPEG with one block of colour in the given cell, counted from the upper left. */
export function blockPicture(colour: keyof typeof COLOURS, cell: number, side = SIDE): Promise<Uint8Array> {
  const rgb = new Uint8Array(side * side * 3).fill(128);
  const perRow = SIDE / BLOCK_PIXELS;
  const block = (BLOCK_PIXELS * side) / SIDE;
  const [x0, y0] = [(cell % perRow) * block, Math.floor(cell / perRow) * block];
  for (let y = y0; y < y0 + block; y++) for (let x = x0; x < x0 + block; x++) rgb.set(COLOURS[colour], (y * side + x) * 3);
  return encodeJpeg({ rgb, width: side, height: side }, 95);
}

export interface ModelFolderOptions {
  readonly version?: string;
  /** The model that lies there. */
  readonly model?: BlockDetectorOptions;
  /** The model that the golden answers are of. Default: the same. */
  readonly goldensOf?: BlockDetectorOptions;
  readonly change?: (manifest: PackageManifest) => PackageManifest;
}

/** An extracted package, made as the packager makes it. */
export async function writeModelFolder(path: string, options: ModelFolderOptions = {}): Promise<{ digest: string }> {
  const bytes = blockDetector(options.model);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'reference.onnx'), blockDetector(options.goldensOf ?? options.model));
  await writeFile(join(path, 'model.onnx'), bytes);
  const card: ModelCard = {
    name: 'blocks',
    version: options.version ?? 'v1',
    classes: [...BLOCK_CLASSES],
    input: { width: SIDE, height: SIDE, range: '0..1', order: 'RGB' },
    thresholds: [0.5, 0.5],
    nmsIou: 0.5,
  };
  const detector = await Detector.load({ modelPath: join(path, 'reference.onnx'), thresholds: { score: 0.25, iou: 0.5 } });
  const goldens = await makeGoldens(detector, await Promise.all([blockPicture('red', 0), blockPicture('blue', 55)]));
  await detector.close();
  for (const [name, picture] of goldens.pictures) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), picture);
  }
  const model = { digest: digestOf(Buffer.from(bytes)), bytes: bytes.length };
  const manifest = buildManifest({
    card,
    model,
    inspection: inspectOnnx(bytes),
    shape: detector.shape,
    goldens,
    origin: { runId: 'run-1', datasetId: null, datasetDigest: null },
  });
  await writeFile(join(path, 'manifest.json'), manifestText((options.change ?? ((same) => same))(manifest)));
  return { digest: model.digest };
}
