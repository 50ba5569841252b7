import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ModelCard } from '@edgeloop/contracts';
import { FramePipeline, Generation } from '@edgeloop/edge-node';
import type { Frame, FrameSource } from '@edgeloop/edge-node';
import { buildManifest, digestOf, manifestText } from '@edgeloop/model-package';
import { yoloShapedModel } from '@edgeloop/testkit';
import { Decoder, Detector, encodeJpeg, inspectOnnx } from '@edgeloop/vision';
import { spreadOf } from './bench-result.ts';
import type { BenchResult } from './bench-result.ts';
import { naiveDecode } from './naive-decode.ts';
import { undisturbed } from './quiet.ts';
import { busyOutput, syntheticScene } from './vision-inputs.ts';

const ROUNDS = 7;
/** About one second a side and round. */
const FRAMES_PER_ROUND = 40;
const DECODES_PER_ROUND = 200;
const COMMAND = 'npm run bench';
const SIDE = 640;
const CLASS_COUNT = 80;

/** Speed of the edge pipeline and of its post-processing, each against its reference in the same run. */
export async function benchVision(): Promise<BenchResult[]> {
  return [await benchPipeline(), ...(await benchDecode())];
}

/** JPEG in, detections out through the model process, against `session.run` on a ready tensor. One thread in the model. */
async function benchPipeline(): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'edgeloop-bench-'));
  const jpeg = await encodeJpeg(syntheticScene(1920, 1080), 85);
  try {
    await writeModelFolder(folder, jpeg);
    const bare = await bareSession(join(folder, 'model.onnx'));
    const generation = await Generation.start({ modelDir: folder, threads: 1 });
    const ratios: number[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const ratio = await undisturbed(async () => {
        const bareFps = await bare.framesPerSecond(FRAMES_PER_ROUND);
        return (await pipelineFps(generation, jpeg, FRAMES_PER_ROUND)) / bareFps;
      }, [generation.pid]);
      // The first round warms both sides up.
      if (round > 0) ratios.push(ratio);
    }
    await generation.stop();
    await bare.release();
    return {
      name: 'edge pipeline frames per second, JPEG in, against session.run',
      ratio: spreadOf(ratios),
      bar: '>= 0.90',
      command: COMMAND,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function bareSession(modelPath: string): Promise<{ framesPerSecond(frames: number): Promise<number>; release(): Promise<void> }> {
  const session = await InferenceSession.create(modelPath, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const images = new Tensor('float32', new Float32Array(3 * SIDE * SIDE).fill(0.447), [1, 3, SIDE, SIDE]);
  return {
    framesPerSecond: async (frames) => {
      const start = performance.now();
      for (let i = 0; i < frames; i++) await session.run({ images });
      return (frames / (performance.now() - start)) * 1000;
    },
    release: () => session.release(),
  };
}

async function pipelineFps(generation: Generation, jpeg: Uint8Array, frames: number): Promise<number> {
  const fault: { error?: Error } = {};
  const pipeline = new FramePipeline<Generation>({
    source: new RepeatedFrame(jpeg, frames),
    onOutcome: (outcome) => {
      if (!outcome.ok) fault.error = outcome.error;
    },
    onModelLost: (_, error) => {
      fault.error = error;
    },
  });
  await pipeline.switchTo(generation);
  const start = performance.now();
  await pipeline.run();
  const seconds = (performance.now() - start) / 1000;
  if (fault.error !== undefined) throw fault.error;
  return frames / seconds;
}

class RepeatedFrame implements FrameSource {
  readonly #jpeg: Uint8Array;
  #left: number;

  constructor(jpeg: Uint8Array, count: number) {
    this.#jpeg = jpeg;
    this.#left = count;
  }

  async next(): Promise<Frame | undefined> {
    return this.#left-- > 0 ? { jpeg: this.#jpeg, capturedAtMs: 0, sequence: this.#left } : undefined;
  }

  async close(): Promise<void> {}
}

async function writeModelFolder(folder: string, jpeg: Uint8Array): Promise<void> {
  const modelPath = join(folder, 'model.onnx');
  await writeFile(modelPath, yoloShapedModel({ side: SIDE, classCount: CLASS_COUNT }));
  const detector = await Detector.load({ modelPath });
  const { shape, classes } = detector;
  await detector.close();
  const card: ModelCard = {
    name: 'bench',
    version: 'v1',
    classes: [...classes],
    input: { width: SIDE, height: SIDE, range: '0..1', order: 'RGB' },
    thresholds: classes.map(() => 0.5),
    nmsIou: 0.45,
  };
  const bytes = await readFile(modelPath);
  const picture = 'golden/00.jpg';
  const manifest = buildManifest({
    card,
    model: { digest: digestOf(bytes), bytes: bytes.length },
    inspection: inspectOnnx(bytes),
    shape,
    goldens: {
      vectors: [{ picture, pictureDigest: digestOf(Buffer.from(jpeg)), expected: [] }],
      pictures: new Map([[picture, jpeg]]),
      blind: true,
    },
    origin: { runId: 'bench', datasetId: null, datasetDigest: null },
  });
  await mkdir(dirname(join(folder, picture)), { recursive: true });
  await writeFile(join(folder, picture), jpeg);
  await writeFile(join(folder, 'manifest.json'), manifestText(manifest));
}

/** Decode and suppression of `[1,25200,85]`: milliseconds, and how many times faster than the first version one would write. */
async function benchDecode(): Promise<BenchResult[]> {
  const shape = { layout: 'yolov5', rows: 25_200, classCount: CLASS_COUNT } as const;
  const output = busyOutput(shape.rows, CLASS_COUNT);
  const thresholds = { score: 0.25, iou: 0.45 };
  const decoder = new Decoder();
  const fast = (): number => decoder.decode(output, shape, thresholds).detections.length;
  const naive = (): number => naiveDecode(output, 5 + CLASS_COUNT, thresholds).length;
  if (fast() !== naive()) throw new Error(`the two sides differ: ${fast()} and ${naive()} boxes`);
  const rounds: { fastMs: number; times: number }[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const measured = await undisturbed(async () => {
      const naiveMs = millisecondsEach(naive, 5);
      const fastMs = millisecondsEach(fast, DECODES_PER_ROUND);
      return { fastMs, times: naiveMs / fastMs };
    });
    if (round > 0) rounds.push(measured);
  }
  const name = 'decode and suppression of [1,25200,85]';
  return [
    { name, value: { ...spreadOf(rounds.map(({ fastMs }) => fastMs)), unit: 'ms' }, bar: '< 1 ms', command: COMMAND },
    {
      name: `${name}, times faster than the naive form`,
      ratio: spreadOf(rounds.map(({ times }) => times)),
      bar: '>= 50',
      command: COMMAND,
    },
  ];
}

function millisecondsEach(work: () => unknown, count: number): number {
  const start = performance.now();
  for (let i = 0; i < count; i++) work();
  return (performance.now() - start) / count;
}
