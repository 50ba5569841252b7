import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GOLDEN_SCORE_FLOOR, GoldenSetupError, checkGoldens, makeGoldens } from '@edgeloop/model-package';
import { Detector, inspectOnnxFile, lockDownPictureLoaders, verifyPicture, type DetectorOptions } from '@edgeloop/vision';
import { assertFiniteOutput } from './finite-output.ts';
import type { TrialAnswer, TrialQuestion } from './trial-protocol.ts';

// A process of its own: it meets models and pictures that nobody has looked at yet, answers one question and ends.
process.once('disconnect', () => process.exit(1));
process.once('message', (question: TrialQuestion) => {
  void answer(question)
    .catch((cause: Error): TrialAnswer => ({ kind: 'failed', error: cause.name, message: cause.message }))
    .then((result) => process.send?.(result, undefined, undefined, () => process.exit(0)));
});

async function answer(question: TrialQuestion): Promise<TrialAnswer> {
  await lockDownPictureLoaders();
  return question.kind === 'make' ? await make(question) : await verify(question);
}

async function make({ modelPath, card, picturePaths }: Extract<TrialQuestion, { kind: 'make' }>): Promise<TrialAnswer> {
  const inspection = await inspectOnnxFile(modelPath);
  const { pictures, skipped } = await readable(picturePaths);
  const first = pictures[0];
  if (first === undefined) throw new GoldenSetupError(`none of the ${picturePaths.length} pictures can be read: ${skipped.join('; ')}`);
  const detector = await Detector.load(detectorOptions(modelPath, card));
  const goldens = await makeGoldens(
    detector,
    pictures.map((picture) => picture.bytes),
  );
  await assertFiniteOutput(modelPath, detector.plan, goldens.pictures.values().next().value ?? first.bytes);
  const paths = goldens.vectors.map(
    ({ picture }) => pictures.find(({ bytes }) => bytes === goldens.pictures.get(picture))?.path ?? first.path,
  );
  return {
    kind: 'tried',
    inspection: { opset: inspection.opset, initializerBytes: inspection.initializerBytes },
    shape: detector.shape,
    vectors: goldens.vectors,
    picturePaths: paths,
    blind: goldens.blind,
    skipped,
  };
}

async function verify({ modelPath, manifest, folder }: Extract<TrialQuestion, { kind: 'verify' }>): Promise<TrialAnswer> {
  const detector = await Detector.load(detectorOptions(modelPath, manifest.model));
  const verdict = await checkGoldens(detector, manifest.goldens, async (name) => await readFile(join(folder, name)));
  return { kind: 'verified', verdict };
}

function detectorOptions(modelPath: string, card: Extract<TrialQuestion, { kind: 'make' }>['card']): DetectorOptions {
  const { classes, input, layout, nmsIou } = card;
  return { modelPath, classes, input, layout, thresholds: { score: GOLDEN_SCORE_FLOOR, iou: nmsIou } };
}

async function readable(paths: readonly string[]): Promise<{ pictures: { path: string; bytes: Uint8Array }[]; skipped: string[] }> {
  const pictures: { path: string; bytes: Uint8Array }[] = [];
  const skipped: string[] = [];
  for (const [index, path] of paths.entries()) {
    const bytes = await readFile(path);
    try {
      await verifyPicture(bytes);
      pictures.push({ path, bytes });
    } catch (cause) {
      skipped.push(`picture ${index}: ${(cause as Error).message}`);
    }
  }
  return { pictures, skipped };
}
