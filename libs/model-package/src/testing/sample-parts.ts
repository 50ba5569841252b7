import type { PackageManifest } from '@edgeloop/contracts';
import { buildManifest } from '../manifest.ts';
import { digestOf } from '../digest.ts';
import type { PackageParts } from '../write-package.ts';

/** Parts of a package whose model is no model: enough for everything that only moves bytes. */
export function sampleParts(change: (manifest: PackageManifest) => PackageManifest = (manifest) => manifest): PackageParts {
  const model = Buffer.from('weights '.repeat(5000));
  const picture = Buffer.from([0xff, 0xd8, 0xff, 1, 2, 3]);
  const vectors = [
    {
      picture: 'golden/00.jpg',
      pictureDigest: digestOf(picture),
      expected: [{ classId: 0, cx: 0.5, cy: 0.5, w: 0.1, h: 0.1, score: 0.9 }],
    },
  ];
  const manifest = buildManifest({
    card: {
      name: 'hardhat',
      version: 'v1',
      classes: ['helmet', 'head'],
      input: { width: 64, height: 64, range: '0..1', order: 'RGB' },
      thresholds: [0.4, 0.4],
      nmsIou: 0.45,
    },
    model: { digest: digestOf(model), bytes: model.byteLength },
    inspection: { opset: 17, initializerBytes: 40_000 },
    shape: { layout: 'yolov5', rows: 252, classCount: 2 },
    goldens: { vectors, pictures: new Map([['golden/00.jpg', picture]]), blind: false },
    origin: { runId: 'run-1', datasetId: null, datasetDigest: null },
  });
  return { manifest: change(manifest), model, pictures: new Map([['golden/00.jpg', picture]]) };
}
