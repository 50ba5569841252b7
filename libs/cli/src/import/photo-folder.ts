import { readFile, readdir, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { parseClassNames, parseYoloLabelLines, verifyPicture } from '@edgeloop/vision';
import type { LabelledBox } from '@edgeloop/vision';
import { UsageError } from '../errors.ts';

export interface LabelledPhoto {
  readonly name: string;
  readonly path: string;
  /** In the classes of `classes.txt` as it is read, in those of the model after `inModelClasses`. */
  readonly boxes: readonly LabelledBox[];
}

export interface PhotoFolder {
  readonly photos: readonly LabelledPhoto[];
  /** What a reader should know: counts of what was left out, and why. */
  readonly remarks: readonly string[];
}

export interface PhotoReading {
  /** Leave bad photos and label lines out, counted, instead of stopping at the first. */
  readonly skipBad: boolean;
  /** Called as photos were looked at: each pixel is decoded, which takes a while for thousands. */
  readonly onRead?: (done: number, total: number) => void;
}

const PHOTO = new Set(['.jpg', '.jpeg', '.png']);
const CLASSES_FILE = 'classes.txt';
/** Photos decoded at once: every pixel is looked at, so that a cut-off photo is found before anything starts. */
const PHOTOS_AT_ONCE = 8;

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function filesOf(folder: string): Promise<string[]> {
  return readdir(folder).catch((cause: { code?: string }) => {
    const why: Readonly<Record<string, string>> = { ENOENT: 'there is no such folder', ENOTDIR: 'it is a file' };
    throw new UsageError(
      `${folder} cannot be read (${why[cause.code ?? ''] ?? cause.code ?? 'unknown'}): give a folder with JPEGs, their YOLO labels and ${CLASSES_FILE}`,
      { cause },
    );
  });
}

function parseClasses(text: string, path: string): readonly string[] {
  if (text.trim() === '')
    throw new UsageError(`${path} names no class: write a class name per line there, in the order of the label numbers`);
  try {
    return parseClassNames(text, path);
  } catch (cause) {
    throw new UsageError(`${(cause as Error).message}: write each class name once, a name per line, in the order of the label numbers`, {
      cause,
    });
  }
}

/** The classes of a file that names one a line. @throws UsageError */
export async function classesOfFile(path: string): Promise<readonly string[]> {
  const text = await readFile(path, 'utf8').catch((cause: { code?: string }) => {
    const why: Readonly<Record<string, string>> = { ENOENT: 'there is no such file', EISDIR: 'it is a folder' };
    throw new UsageError(
      `${path} cannot be read (${why[cause.code ?? ''] ?? cause.code ?? 'unknown'}): give a file with a class name per line`,
      { cause },
    );
  });
  return parseClasses(text, path);
}

/** The classes of a dataset folder: `classes.txt` in it or above it; undefined where there is none. @throws UsageError */
export async function namedClassesOf(folder: string): Promise<readonly string[] | undefined> {
  if ((await filesOf(folder)).length === 0)
    throw new UsageError(`${folder} is empty: put JPEGs, their YOLO labels and a ${CLASSES_FILE} there`);
  for (const path of [join(folder, CLASSES_FILE), join(folder, '..', CLASSES_FILE)]) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text !== undefined) return parseClasses(text, path);
  }
  return undefined;
}

/** The same for a folder that must name its classes. @throws UsageError */
export async function classesOf(folder: string): Promise<readonly string[]> {
  const classes = await namedClassesOf(folder);
  if (classes === undefined)
    throw new UsageError(`${folder} has no ${CLASSES_FILE}: put one there, a class name per line in the order of the label numbers`);
  return classes;
}

/** Either `images/` and `labels/` beside `classes.txt`, or photos and their `.txt` in one folder. */
async function layoutOf(folder: string): Promise<{ photos: string; labels: string }> {
  const images = join(folder, 'images');
  if (!(await isFolder(images))) return { photos: folder, labels: folder };
  const labels = join(folder, 'labels');
  return { photos: images, labels: (await isFolder(labels)) ? labels : images };
}

async function problemOf(path: string): Promise<Error | undefined> {
  try {
    await verifyPicture(await readFile(path));
    return undefined;
  } catch (cause) {
    return cause as Error;
  }
}

class Reader {
  readonly #classes: readonly string[];
  readonly #skipBad: boolean;
  readonly #onRead: PhotoReading['onRead'];
  readonly #left = { photos: 0, lines: 0 };

  constructor(classes: readonly string[], { skipBad, onRead }: PhotoReading) {
    this.#classes = classes;
    this.#skipBad = skipBad;
    this.#onRead = onRead;
  }

  /** The photos that can be read, in the order given, with their labels. */
  async read(files: readonly { readonly photo: string; readonly labels: string }[]): Promise<LabelledPhoto[]> {
    const photos: LabelledPhoto[] = [];
    for (let from = 0; from < files.length; from += PHOTOS_AT_ONCE) {
      const some = files.slice(from, from + PHOTOS_AT_ONCE);
      const problems = await Promise.all(some.map(({ photo }) => problemOf(photo)));
      for (const [index, { photo, labels }] of some.entries()) {
        if (problems[index] !== undefined) this.#leaveOut(photo, problems[index]);
        else photos.push({ name: basename(photo), path: photo, boxes: await this.#boxes(labels) });
      }
      this.#onRead?.(from + some.length, files.length);
    }
    return photos;
  }

  #leaveOut(path: string, cause: Error): void {
    if (!this.#skipBad)
      throw new UsageError(`${path} is no readable photo (${cause.message}): mend or remove it, or pass --skip-bad to go on without it`, {
        cause,
      });
    this.#left.photos += 1;
  }

  async #boxes(labelPath: string): Promise<readonly LabelledBox[]> {
    const text = await readFile(labelPath, 'utf8').catch((cause: { code?: string }) => {
      if (cause.code === 'ENOENT') return '';
      throw new UsageError(`${labelPath} cannot be read (${cause.code ?? 'unknown'})`, { cause });
    });
    const { boxes, bad } = parseYoloLabelLines(text, { file: labelPath, classCount: this.#classes.length });
    const first = bad[0];
    if (first && !this.#skipBad)
      throw new UsageError(`${first.message}: mend the line, or pass --skip-bad to go on without it`, { cause: first });
    this.#left.lines += bad.length;
    return boxes;
  }

  remarks(): string[] {
    const { photos, lines } = this.#left;
    return [...(photos > 0 ? [`${photos} unreadable photos left out`] : []), ...(lines > 0 ? [`${lines} bad label lines left out`] : [])];
  }
}

/**
 * Reads a labelled folder; photos sorted by name, so that the same folder is always the same dataset.
 * @throws UsageError naming the file, and the line of a label file, that cannot be used
 */
export async function readPhotoFolder(folder: string, classes: readonly string[], reading: PhotoReading): Promise<PhotoFolder> {
  const place = await layoutOf(folder);
  const names = (await filesOf(place.photos)).filter((file) => PHOTO.has(extname(file).toLowerCase())).toSorted();
  const reader = new Reader(classes, reading);
  const photos = await reader.read(
    names.map((name) => ({ photo: join(place.photos, name), labels: join(place.labels, `${basename(name, extname(name))}.txt`) })),
  );
  if (photos.length === 0)
    throw new UsageError(`${folder} holds no readable photo: put JPEGs into ${place.photos} and their YOLO labels into ${place.labels}`);
  if (photos.every((photo) => photo.boxes.length === 0))
    throw new UsageError(
      `${folder} has ${photos.length} photos and not one labelled box of ${classes.join(', ')}: label some in ${place.labels}, a line "class cx cy w h" per box`,
    );
  return { photos, remarks: reader.remarks() };
}

/** The photos with their boxes in the classes of the model; boxes of other classes are left out and counted in the remarks. */
export function inModelClasses(photos: readonly LabelledPhoto[], classes: readonly string[], modelClasses: readonly string[]): PhotoFolder {
  const toModel = classes.map((name) => modelClasses.indexOf(name));
  const left = new Map<string, number>();
  const mapped = (box: LabelledBox): LabelledBox[] => {
    const classId = toModel[box.classId] ?? -1;
    if (classId >= 0) return [{ ...box, classId }];
    const name = classes[box.classId] ?? String(box.classId);
    left.set(name, (left.get(name) ?? 0) + 1);
    return [];
  };
  return {
    photos: photos.map((photo) => ({ ...photo, boxes: photo.boxes.flatMap(mapped) })),
    remarks: [...left].map(([name, count]) => `${count} boxes of "${name}" left out: the model does not know that class`),
  };
}
