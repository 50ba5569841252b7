import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  DEFAULT_MODEL_NAME,
  EXAMPLE_BASE_MODEL,
  classesOf,
  inModelClasses,
  namedClassesOf,
  readModelFile,
  readPhotoFolder,
} from '@edgeloop/cli';
import type { LabelledPhoto, ModelFile } from '@edgeloop/cli';
import { exportFrames } from '@edgeloop/worksite';
import type { DemoOptions } from './options.ts';
import { UserError } from './user-error.ts';
import { DrawnWorld } from './world/drawn-world.ts';
import { MODEL_CLASSES_MIN, learnableClasses } from './world/learnable-classes.ts';
import { PhotoWorld } from './world/photo-world.ts';
import type { World } from './world/world.ts';

/** What is looked at, what was labelled before, and what runs first. */
export interface Scenario {
  readonly title: string;
  readonly world: World;
  readonly dataset: { readonly photos: readonly LabelledPhoto[]; readonly classes: readonly string[] };
  /** Null: the first turn trains it from the dataset. */
  readonly base: ModelFile | null;
  /** How many frames may be collected by day, before anything drifts, and in answer to a drift. */
  readonly budget: { readonly day: number; readonly drift: number };
  /** Overrides of the train step's parameters. */
  readonly training: Readonly<Record<string, number | string>>;
  readonly remarks: readonly string[];
}

const DRAWN_DATASET_FRAMES = 240;
/** The dataset is drawn with another seed than what the cameras see. */
const DATASET_SEED_SHIFT = 1_000;
const DRAWN_DAY_SAMPLES = 40;
/** Drawings are far from photos: what the night does to them takes larger steps to learn. */
const DRAWN_TRAINING = { 'learning-rate': 0.0006, jitter: 0.5, replay: 200, epochs: 8 };
const PHOTO_TRAINING = { 'learning-rate': 0.001, jitter: 0.6, replay: 144, epochs: 24 };
/** A first model learns the dataset's classes, whatever the weights that it starts from were taught. */
const OWN_CLASSES = { 'replace-classes': 'true' };
/** Parts of a stream of photos that may be collected, in all rounds together; the rest is kept for the score. */
const STREAM_DAY_SHARE = 0.12;
const STREAM_DRIFT_SHARE = 0.6;
const DAY_SAMPLES_MAX = 40;
/** Of 256: photos whose digest begins with less go to the stream, where a dataset has to be both. */
const STREAM_BYTE_BELOW = 100;
const STREAM_PHOTOS_MIN = 20;

function firstModel(path: string, classes: readonly string[]): Promise<ModelFile> {
  return readModelFile(path, { ifSilent: { classes, from: 'classes.txt' }, name: DEFAULT_MODEL_NAME, give: 'give --base' });
}

async function drawn(options: DemoOptions, workDir: string): Promise<Scenario> {
  const folder = join(workDir, 'drawn-dataset');
  await exportFrames({ folder, frames: DRAWN_DATASET_FRAMES, seed: options.seed + DATASET_SEED_SHIFT, light: 'day' });
  const classes = await classesOf(folder);
  const { photos } = await readPhotoFolder(folder, classes, { skipBad: false });
  return {
    title: `drawn worksite, seed ${options.seed}`,
    world: new DrawnWorld(options.seed, options.nodes),
    dataset: { photos, classes },
    base: await firstModel(EXAMPLE_BASE_MODEL, classes),
    budget: { day: DRAWN_DAY_SAMPLES, drift: options.labels },
    training: DRAWN_TRAINING,
    remarks: [],
  };
}

async function digestOfPhoto(photo: LabelledPhoto): Promise<string> {
  return createHash('sha256')
    .update(await readFile(photo.path))
    .digest('hex');
}

/** A stream of its own, without photos that the dataset holds too; or a part of the dataset, by content. */
async function splitStream(
  dataset: readonly LabelledPhoto[],
  stream: readonly LabelledPhoto[] | undefined,
): Promise<{ dataset: readonly LabelledPhoto[]; stream: readonly LabelledPhoto[]; remarks: string[] }> {
  const digests = new Map<LabelledPhoto, string>();
  for (const photo of [...dataset, ...(stream ?? [])]) digests.set(photo, await digestOfPhoto(photo));
  const digest = (photo: LabelledPhoto): string => digests.get(photo) ?? '';
  if (stream === undefined) {
    const streams = (photo: LabelledPhoto): boolean => Number.parseInt(digest(photo).slice(0, 2), 16) < STREAM_BYTE_BELOW;
    return { dataset: dataset.filter((photo) => !streams(photo)), stream: dataset.filter(streams), remarks: [] };
  }
  const known = new Set(dataset.map(digest));
  const fresh = stream.filter((photo) => !known.has(digest(photo)));
  const both = stream.length - fresh.length;
  return { dataset, stream: fresh, remarks: both > 0 ? [`${both} photos of the stream left out: the dataset holds them too`] : [] };
}

function requireClasses(path: string, classes: readonly string[]): void {
  if (classes.length < MODEL_CLASSES_MIN)
    throw new UserError(
      `${path} knows one class only (${classes.join(', ')}), and a model can be trained on from ${MODEL_CLASSES_MIN} classes up: give another --base, or none to train a first model`,
    );
}

function requireCommonClass(folder: string, classes: readonly string[], model: { classes: readonly string[]; isBase: boolean }): void {
  if (classes.some((name) => model.classes.includes(name))) return;
  const knows = model.isBase ? 'the model of --base knows' : 'a first model learns';
  throw new UserError(
    `the classes of ${folder} (${classes.join(', ')}) don't match: ${knows} ${model.classes.join(', ')}; rename them in classes.txt, or give a --base that knows them`,
  );
}

async function baseOf(options: DemoOptions & { dataset: string }, classes: readonly string[]): Promise<ModelFile | null> {
  if (options.base === undefined) return null;
  const base = await firstModel(options.base, classes);
  requireClasses(options.base, base.card.classes);
  requireCommonClass(options.dataset, classes, { classes: base.card.classes, isBase: true });
  return base;
}

/** Classes that the model knows and nobody labelled: the next model will have forgotten them. */
function unlabelled(photos: readonly LabelledPhoto[], classes: readonly string[]): string[] {
  const labelled = new Set(photos.flatMap((photo) => photo.boxes.map((box) => box.classId)));
  return classes
    .filter((_, classId) => !labelled.has(classId))
    .map((name) => `no photo of the dataset has a box of "${name}": the next model does not learn it`);
}

async function photos(options: DemoOptions & { dataset: string }): Promise<Scenario> {
  const classes = await classesOf(options.dataset);
  const streamClasses = options.stream === undefined ? classes : ((await namedClassesOf(options.stream)) ?? classes);
  const base = await baseOf(options, classes);
  const labelled = await readPhotoFolder(options.dataset, classes, options);
  const streamed = options.stream === undefined ? undefined : await readPhotoFolder(options.stream, streamClasses, options);
  const split = await splitStream(labelled.photos, streamed?.photos);
  const needed = STREAM_PHOTOS_MIN * options.rounds;
  if (split.stream.length < needed)
    throw new UserError(
      `only ${split.stream.length} photos are left for the cameras to see: give at least ${needed}, some to collect${options.rounds > 1 ? ' in each round' : ''} and some to score on, as --stream or with a larger --dataset`,
    );
  if (split.dataset.length === 0) throw new UserError('no photo is left for the dataset: give more, or a --stream of their own');
  const modelClasses = base?.card.classes ?? learnableClasses(split.dataset, classes);
  if (options.stream !== undefined) requireCommonClass(options.stream, streamClasses, { classes: modelClasses, isBase: base !== null });
  const dataset = inModelClasses(split.dataset, classes, modelClasses);
  const stream = inModelClasses(split.stream, streamClasses, modelClasses);
  const size = split.stream.length;
  return {
    title: `${split.dataset.length} labelled photos, ${size} in the stream`,
    world: new PhotoWorld({ classes: modelClasses, photos: stream.photos, cameras: options.nodes, seed: options.seed }),
    dataset: { photos: dataset.photos, classes: modelClasses },
    base,
    budget: {
      day: Math.min(DAY_SAMPLES_MAX, Math.ceil(size * STREAM_DAY_SHARE)),
      drift: Math.min(options.labels, Math.floor((size * STREAM_DRIFT_SHARE) / options.rounds)),
    },
    training: base === null ? { ...PHOTO_TRAINING, ...OWN_CLASSES } : PHOTO_TRAINING,
    remarks: [
      ...(base?.remarks ?? []),
      ...labelled.remarks,
      ...(streamed?.remarks ?? []),
      ...split.remarks,
      ...dataset.remarks,
      ...unlabelled(dataset.photos, modelClasses),
    ],
  };
}

/** @throws UserError when the folders or the model cannot be used, before anything was started */
export async function prepareScenario(options: DemoOptions, workDir: string): Promise<Scenario> {
  if (options.dataset !== undefined) return photos({ ...options, dataset: options.dataset });
  if (options.stream !== undefined) throw new UserError('--stream needs --dataset: give the folder that was labelled from the start too');
  if (options.base !== undefined)
    throw new UserError('--base needs --dataset: give a folder of labelled photos too (the drawn worksite brings its own model)');
  return drawn(options, workDir);
}
