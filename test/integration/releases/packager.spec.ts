import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PackageBuilt, PackageRefused, RunCompleted } from '@edgeloop/contracts';
import { checkGoldens, extractPackage, readPackage } from '@edgeloop/model-package';
import { startService, type RunningService } from '@edgeloop/nest-bus';
import { packagerService } from '@edgeloop/packager';
import { digestOf, readVerified } from '@edgeloop/store';
import { blockDetector, eventually } from '@edgeloop/testkit';
import { Detector } from '@edgeloop/vision';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BLOCK_CARD, ReleaseFixture, blockPicture, sharedData } from './release-fixture.ts';

let fixture: ReleaseFixture;
let packager: RunningService;

beforeAll(async () => {
  fixture = await ReleaseFixture.start();
  packager = await startService(packagerService, fixture.environment());
}, 120_000);
afterAll(async () => {
  await packager?.stop();
  await fixture?.stop();
});

const built = async (runId: string) => await fixture.seen(PackageBuilt, (payload) => payload.runId === runId);
const refused = async (runId: string) => await fixture.seen(PackageRefused, (payload) => payload.runId === runId);

describe('the packager', () => {
  it('makes a package of a run whose model answers from it as it did before', async () => {
    const model = await fixture.putModel(blockDetector());
    await fixture.complete('run-good', model);
    const { packageId, archive, manifest, model: named } = await built('run-good');
    expect(named).toEqual(model);
    expect(packageId).toBe(`pkg-${archive.digest.slice(7, 23)}`);
    expect(archive).toMatchObject({ bucket: 'runs', key: `packages/${archive.digest.slice(7)}.zip` });
    expect(manifest).toMatchObject({
      model: { layout: 'yolov5', digest: model.digest, outputShape: [1, 100, 7] },
      origin: { runId: 'run-good' },
    });
    const bytes = await readVerified(fixture.store, archive);
    expect(await readPackage(bytes)).toEqual(manifest);
    const folder = join(fixture.engines.dataDir, 'slot');
    const { modelPath, pictures } = await extractPackage(bytes, folder);
    const detector = await Detector.load({ modelPath, thresholds: { score: 0.05, iou: manifest.model.nmsIou } });
    const verdict = await checkGoldens(detector, manifest.goldens, async (name) => await readFile(pictures.get(name) ?? ''));
    await detector.close();
    expect(verdict).toMatchObject({ passed: true, failures: [] });
    expect(manifest.goldens.vectors[0]?.expected).toHaveLength(2);
  });

  it('says the same once, however often it hears of a run, and makes the same bytes of the same run output', async () => {
    const model = await fixture.putModel(blockDetector());
    await fixture.complete('run-twice', model);
    const first = await built('run-twice');
    const again = { runId: 'run-twice', model, card: BLOCK_CARD, datasetId: null, datasetDigest: null, gate: null, trainSeconds: 1 };
    const goldenPictures = [await fixture.putPicture(await blockPicture())];
    for (const id of ['a', 'b', 'c']) await fixture.bus.publish(RunCompleted, { ...again, goldenPictures }, { id });
    await fixture.complete('run-after', model, { card: { ...BLOCK_CARD, version: 'v2' } });
    await built('run-after');
    expect((await fixture.events(PackageBuilt)).filter(({ runId }) => runId === 'run-twice')).toEqual([first]);
  });

  it('packages a model that sees nothing: its author may want that', async () => {
    await fixture.complete('run-blind', await fixture.putModel(blockDetector({ fault: 'blind' })));
    expect((await built('run-blind')).manifest.goldens.vectors[0]?.expected).toEqual([]);
  });

  it('refuses what cannot be a package, with the cause and what to do', async () => {
    const rubbish = await fixture.putModel(Buffer.from('this is no model'));
    const good = await fixture.putModel(blockDetector());
    const lost = { ...good, key: 'models/nowhere.onnx' };
    const cases: [string, string, () => Promise<void>][] = [
      ['model-missing', 'did the job write its output', async () => await fixture.complete('run-lost', lost)],
      ['model-missing', 'is empty', async () => await fixture.complete('run-empty', { ...good, bytes: 0 })],
      ['model-damaged', 'damaged or replaced', async () => await fixture.complete('run-damaged', { ...good, digest: rubbish.digest })],
      ['unreadable-model', 'not a readable ONNX model', async () => await fixture.complete('run-rubbish', rubbish)],
      [
        'wrong-shape',
        'declared classes [a, b], the model names [red, blue]',
        async () => await fixture.complete('run-classes', good, { card: { ...BLOCK_CARD, classes: ['a', 'b'] } }),
      ],
      [
        'card-invalid',
        'give one threshold for each class',
        async () => await fixture.complete('run-card', good, { card: { ...BLOCK_CARD, thresholds: [0.4] } }),
      ],
      [
        'not-finite',
        'training diverged',
        async () => await fixture.complete('run-nan', await fixture.putModel(blockDetector({ fault: 'damaged' }))),
      ],
      [
        'golden-pictures-missing',
        'none of the 1 pictures can be read',
        async () => await fixture.complete('run-pictures', good, { goldenPictures: [await fixture.putPicture(Buffer.from('no picture'))] }),
      ],
    ];
    for (const [, , complete] of cases) await complete();
    const runs = ['run-lost', 'run-empty', 'run-damaged', 'run-rubbish', 'run-classes', 'run-card', 'run-nan', 'run-pictures'];
    for (const [index, [cause, words]] of cases.entries()) {
      const { packageId, ...said } = await refused(runs[index] as string);
      expect(said).toMatchObject({ cause, reason: expect.stringContaining(words) });
      expect(packageId).toBe(`pkg-${runs[index]}`);
    }
  });

  it('leaves no files behind', async () => {
    await eventually(async () => expect(await readdir(join(fixture.engines.dataDir, 'packager'))).toEqual([]));
  });

  const v3 = sharedData('models', 'hardhat-yolox-nano-416-v3.onnx');
  const v8 = sharedData('models', 'hardhat-yolox-nano-416-v3-v8layout.onnx');
  const photos = sharedData('hardhat', 'images');
  (v3 && v8 && photos ? it : it.skip)(
    'packages trained detectors with golden vectors from real photos (skipped without the shared data)',
    async () => {
      const names = ['hard_hat_workers0.jpg', 'hard_hat_workers1.jpg', 'hard_hat_workers10.jpg'];
      const goldenPictures = [];
      for (const name of names) goldenPictures.push(await fixture.putPicture(await readFile(join(photos as string, name))));
      const card = {
        name: 'hardhat',
        version: 'v3',
        classes: ['helmet', 'head'],
        input: { width: 416, height: 416, range: '0..1' as const, order: 'RGB' as const },
        thresholds: [0.4, 0.4],
        nmsIou: 0.5,
      };
      await fixture.complete('run-v3', await fixture.putModel(await readFile(v3 as string)), { card, goldenPictures });
      await fixture.complete('run-v8', await fixture.putModel(await readFile(v8 as string)), {
        card: { ...card, version: 'v4' },
        goldenPictures,
      });
      const [yolov5, yolov8] = [(await built('run-v3')).manifest, (await built('run-v8')).manifest];
      expect([yolov5.model.layout, yolov8.model.layout]).toEqual(['yolov5', 'yolov8']);
      expect([yolov5.model.outputShape, yolov8.model.outputShape]).toEqual([
        [1, 3549, 7],
        [1, 6, 3549],
      ]);
      const seen = yolov5.goldens.vectors.flatMap((vector) => vector.expected);
      expect(seen.length).toBeGreaterThan(5);
      expect(yolov8.goldens.vectors.map((vector) => vector.pictureDigest)).toEqual(
        yolov5.goldens.vectors.map((vector) => vector.pictureDigest),
      );
      expect(digestOf(await readFile(v3 as string))).toBe(yolov5.model.digest);
    },
  );
});
