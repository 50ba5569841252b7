import { readFile, readdir } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { DatasetFolderError } from '../errors.ts';
import type { LabelLineError } from '../errors.ts';
import { parseClassNames, parseYoloLabelLines } from '../labels/yolo-labels.ts';
import type { LabelledFrame } from './evaluate-model.ts';

/** Slice of pictures that `slices.json` does not name. */
export const DEFAULT_SLICE = 'day';

const PICTURE_EXTENSIONS = new Set(['.jpg', '.jpeg', '.png']);

/** Characters of a slice's name. */
export const SLICE_CHARS_MAX = 32;

export interface DatasetFolder {
  readonly path: string;
  readonly classes: readonly string[];
  /** File names in `images/`, sorted. */
  readonly pictures: readonly string[];
  /** Slice per picture file. */
  readonly slices: Readonly<Record<string, string>>;
}

/**
 * Opens `classes.txt`, `images/*.jpg|png`, `labels/*.txt` and, where present, `slices.json` (`{file: slice}`).
 * @throws DatasetFolderError, LabelLineError
 */
export async function openDatasetFolder(path: string): Promise<DatasetFolder> {
  const classes = parseClassNames(await readText(join(path, 'classes.txt')), 'classes.txt');
  const files = await readdir(join(path, 'images')).catch((cause: unknown) => {
    throw new DatasetFolderError(join(path, 'images'), 'cannot be listed; put the pictures there', { cause });
  });
  const pictures = files.filter((file) => PICTURE_EXTENSIONS.has(extname(file).toLowerCase())).toSorted();
  if (pictures.length === 0) throw new DatasetFolderError(join(path, 'images'), 'holds no JPEG or PNG');
  return { path, classes, pictures, slices: await readSlices(join(path, 'slices.json')) };
}

export interface FrameReading {
  /** Called for each bad label line, which is then left out. Without it the first bad line throws. */
  readonly onBadLine?: (error: LabelLineError) => void;
}

/**
 * The labelled pictures, one at a time.
 * @throws DatasetFolderError, LabelLineError
 */
export async function* framesOf(dataset: DatasetFolder, reading: FrameReading = {}): AsyncGenerator<LabelledFrame, void, undefined> {
  for (const file of dataset.pictures) {
    const labelFile = `${basename(file, extname(file))}.txt`;
    const text = await readText(join(dataset.path, 'labels', labelFile));
    const { boxes, bad } = parseYoloLabelLines(text, { file: `labels/${labelFile}`, classCount: dataset.classes.length });
    for (const error of bad) {
      if (reading.onBadLine === undefined) throw error;
      reading.onBadLine(error);
    }
    const picture = await readFile(join(dataset.path, 'images', file));
    yield { name: `images/${file}`, picture, truth: boxes, slice: dataset.slices[file] ?? DEFAULT_SLICE };
  }
}

async function readSlices(path: string): Promise<Record<string, string>> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    if ((cause as { code?: string }).code === 'ENOENT') return '{}';
    throw new DatasetFolderError(path, 'cannot be read', { cause });
  });
  const slices = parsedJson(text);
  if (isSlices(slices)) return slices;
  throw new DatasetFolderError(path, 'is not an object of file name to slice name');
}

function isSlices(value: unknown): value is Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((name) => typeof name === 'string' && name.length > 0 && name.length <= SLICE_CHARS_MAX);
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new DatasetFolderError(path, 'cannot be read', { cause });
  });
}
