import { readFile, readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { z } from 'zod';
import { hashFile, placeFile } from './whole-file.ts';

/** More output files than this are a mistake of the step. */
export const OUTPUT_FILES_MAX = 20_000;
const MARKER_MODE = 0o600;

export class TooManyOutputsError extends Error {
  override readonly name = 'TooManyOutputsError';
  readonly retryable = false;
  constructor(folder: string) {
    super(`${folder} holds more than ${OUTPUT_FILES_MAX} files: pack them into an archive`);
  }
}

/** An execution whose process ended well: all that is needed to store its outputs, by whoever gets to it. */
const FinishedMarker = z.object({
  /** Digest of what the execution was asked to do: the marker of another execution is none. */
  fingerprint: z.string(),
  metadata: z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()])),
  seconds: z.number(),
  /** SHA-256 (hex) of each output, by its path below the output folder (with `/`). */
  files: z.record(z.string(), z.string()),
});
export type FinishedMarker = z.output<typeof FinishedMarker>;

async function hashesOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  if (paths.length > OUTPUT_FILES_MAX) throw new TooManyOutputsError(folder);
  const files: Record<string, string> = {};
  for (const path of paths.toSorted()) files[relative(folder, path).split(sep).join('/')] = await hashFile(path);
  return files;
}

/** Says on disk that the execution finished, and with which outputs. @throws TooManyOutputsError */
export async function writeMarker(path: string, outputs: string, facts: Omit<FinishedMarker, 'files'>): Promise<FinishedMarker> {
  const marker = { ...facts, files: await hashesOf(outputs) };
  await placeFile(path, Buffer.from(JSON.stringify(marker)), MARKER_MODE);
  return marker;
}

/** The marker of this very execution, if its outputs are all there as they were; a machine that lost power may have lost some. */
export async function readMarker(path: string, outputs: string, fingerprint: string): Promise<FinishedMarker | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  const marker = text === undefined ? undefined : parsed(text);
  if (marker?.fingerprint !== fingerprint) return undefined;
  const present = await hashesOf(outputs).catch(() => undefined);
  return JSON.stringify(present) === JSON.stringify(marker.files) ? marker : undefined;
}

function parsed(text: string): FinishedMarker | undefined {
  try {
    return FinishedMarker.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
