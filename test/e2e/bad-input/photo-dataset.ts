import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeJpeg } from '@edgeloop/vision';

const SIDE = 64;
/** Enough for a dataset and a stream, however its photos fall. */
export const PHOTOS = 90;

export interface PhotoDataset {
  readonly classes: string;
  /** The label file of one photo; default: a box of class 0. */
  readonly labels?: (photo: number) => string;
  readonly photos?: number;
}

/** A small picture unlike all others: no two photos have the same bytes. */
async function photo(number: number): Promise<Uint8Array> {
  const rgb = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, index) => (index * (number + 3) + number * 31) % 256);
  return encodeJpeg({ rgb, width: SIDE, height: SIDE }, 80);
}

export const photoName = (number: number): string => `photo-${String(number).padStart(3, '0')}`;

/** Photos and YOLO labels as people keep them: `images/`, `labels/`, `classes.txt`. */
export async function writeDataset(folder: string, dataset: PhotoDataset): Promise<string> {
  const { classes, labels = () => '0 0.5 0.5 0.4 0.4\n', photos = PHOTOS } = dataset;
  for (const part of ['images', 'labels']) await mkdir(join(folder, part), { recursive: true });
  await writeFile(join(folder, 'classes.txt'), classes);
  for (let number = 0; number < photos; number += 1) {
    await writeFile(join(folder, 'images', `${photoName(number)}.jpg`), await photo(number));
    await writeFile(join(folder, 'labels', `${photoName(number)}.txt`), labels(number));
  }
  return folder;
}

/** The photo as a camera leaves it whose card was pulled out: its beginning is right. */
export async function cutPhoto(folder: string, number: number): Promise<void> {
  const path = join(folder, 'images', `${photoName(number)}.jpg`);
  const bytes = await readFile(path);
  await writeFile(path, bytes.subarray(0, Math.floor(bytes.length / 2)));
}
