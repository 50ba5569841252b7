import { readFile, readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { LabelLineError, UnreadablePictureError, parseClassNames, parseYoloLabelLines, readPictureHeader } from '@edgeloop/vision';
import type { LabelledBox } from '@edgeloop/vision';
import { UserError } from '../user-error.ts';

export interface LabelledPhoto {
  readonly name: string;
  readonly path: string;
  /** In the classes of the model. */
  readonly boxes: readonly LabelledBox[];
}

export interface PhotoFolder {
  readonly photos: readonly LabelledPhoto[];
  /** What a reader should know: counts of what was left out, and why. */
  readonly remarks: readonly string[];
}

export interface PhotoReading {
  /** Classes that the model knows; labels of other classes are left out and counted. Undefined: those of `classes.txt`. */
  readonly modelClasses?: readonly string[];
  /** Leave bad photos and label lines out, counted, instead of stopping at the first. */
  readonly skipBad: boolean;
}

const PHOTO = new Set(['.jpg', '.jpeg', '.png']);

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function filesOf(folder: string): Promise<string[]> {
  return readdir(folder).catch((cause: { code?: string }) => {
    throw new UserError(`${folder} cannot be read (${cause.code ?? 'unknown'}): give a folder with JPEGs and YOLO labels`, { cause });
  });
}

/** `classes.txt` of a dataset folder, looked for in it and above it. */
export async function classesOf(folder: string): Promise<readonly string[]> {
  for (const place of [folder, join(folder, '..')]) {
    const text = await readFile(join(place, 'classes.txt'), 'utf8').catch(() => undefined);
    if (text !== undefined) return parseClassNames(text, 'classes.txt');
  }
  throw new UserError(`${folder} has no classes.txt: put one there, a class name per line in the order of the label numbers`);
}

/** Either `images/` and `labels/` beside `classes.txt`, or photos and their `.txt` in one folder. */
async function layoutOf(folder: string): Promise<{ photos: string; labels: string }> {
  if (!(await isFolder(folder))) throw new UserError(`${folder} is no folder: give one with JPEGs and YOLO labels`);
  const images = join(folder, 'images');
  if (!(await isFolder(images))) return { photos: folder, labels: folder };
  const labels = join(folder, 'labels');
  return { photos: images, labels: (await isFolder(labels)) ? labels : images };
}

class Reader {
  readonly #toModel: readonly number[];
  readonly #classes: readonly string[];
  readonly #skipBad: boolean;
  readonly left: { photos: number; lines: number; boxes: Map<string, number> } = { photos: 0, lines: 0, boxes: new Map() };

  constructor(classes: readonly string[], reading: PhotoReading) {
    this.#classes = classes;
    this.#toModel = classes.map((name) => (reading.modelClasses ?? classes).indexOf(name));
    this.#skipBad = reading.skipBad;
  }

  async photo(path: string, labelPath: string): Promise<LabelledPhoto | undefined> {
    const name = basename(path);
    try {
      await readPictureHeader(await readFile(path));
    } catch (cause) {
      if (!(cause instanceof UnreadablePictureError) && !(cause instanceof Error)) throw cause;
      if (!this.#skipBad)
        throw new UserError(
          `${path} is no readable photo (${(cause as Error).message}): mend or remove it, or pass --skip-bad to go on without it`,
          { cause },
        );
      this.left.photos += 1;
      return undefined;
    }
    return { name, path, boxes: await this.#boxes(labelPath) };
  }

  async #boxes(labelPath: string): Promise<LabelledBox[]> {
    const text = await readFile(labelPath, 'utf8').catch((cause: { code?: string }) => {
      if (cause.code === 'ENOENT') return '';
      throw new UserError(`${labelPath} cannot be read (${cause.code ?? 'unknown'})`, { cause });
    });
    const { boxes, bad } = parseYoloLabelLines(text, { file: labelPath, classCount: this.#classes.length });
    const first = bad[0];
    if (first instanceof LabelLineError && !this.#skipBad)
      throw new UserError(`${first.message}: mend the line, or pass --skip-bad to go on without it`, { cause: first });
    this.left.lines += bad.length;
    return boxes.flatMap((box) => this.#inModelClass(box));
  }

  #inModelClass(box: LabelledBox): LabelledBox[] {
    const classId = this.#toModel[box.classId] ?? -1;
    if (classId >= 0) return [{ ...box, classId }];
    const name = this.#classes[box.classId] ?? String(box.classId);
    this.left.boxes.set(name, (this.left.boxes.get(name) ?? 0) + 1);
    return [];
  }

  remarks(): string[] {
    const { photos, lines, boxes } = this.left;
    return [
      ...(photos > 0 ? [`${photos} unreadable photos left out`] : []),
      ...(lines > 0 ? [`${lines} bad label lines left out`] : []),
      ...[...boxes].map(([name, count]) => `${count} boxes of "${name}" left out: the model does not know that class`),
    ];
  }
}

/** Reads a labelled folder; photos sorted by name, so that the same folder is always the same dataset. */
export async function readPhotoFolder(folder: string, classes: readonly string[], reading: PhotoReading): Promise<PhotoFolder> {
  const known = reading.modelClasses ?? classes;
  if (!classes.some((name) => known.includes(name))) {
    throw new UserError(
      `the classes of ${folder} (${classes.join(', ')}) and of the model (${known.join(', ')}) have none in common: rename them in classes.txt, or give another --base`,
    );
  }
  const place = await layoutOf(folder);
  const names = (await filesOf(place.photos)).filter((file) => PHOTO.has(extname(file).toLowerCase())).toSorted();
  const reader = new Reader(classes, reading);
  const photos: LabelledPhoto[] = [];
  for (const name of names) {
    const photo = await reader.photo(join(place.photos, name), join(place.labels, `${basename(name, extname(name))}.txt`));
    if (photo) photos.push(photo);
  }
  if (photos.length === 0)
    throw new UserError(`${folder} holds no readable photo: put JPEGs into ${place.photos} and their YOLO labels into ${place.labels}`);
  if (photos.every((photo) => photo.boxes.length === 0))
    throw new UserError(
      `${folder} has ${photos.length} photos and not one labelled box of a class that the model knows: a dataset needs labels to learn from`,
    );
  return { photos, remarks: reader.remarks() };
}
