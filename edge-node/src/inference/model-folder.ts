import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PackageManifest } from '@edgeloop/contracts';
import { GenerationLoadError } from './errors.ts';

/** An extracted package. */
export interface ModelFolder {
  readonly path: string;
  readonly manifest: PackageManifest;
  readonly modelPath: string;
}

/** @throws GenerationLoadError */
export async function openModelFolder(path: string): Promise<ModelFolder> {
  const file = join(path, 'manifest.json');
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new GenerationLoadError('ManifestError', `${file} cannot be read (${(cause as { code?: string }).code})`);
  });
  const parsed = PackageManifest.safeParse(parsedJson(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new GenerationLoadError('ManifestError', `${file} is no package manifest: ${issue?.path.join('.')} ${issue?.message}`);
  }
  const { thresholds, classes } = parsed.data.model;
  if (thresholds.length !== classes.length) {
    throw new GenerationLoadError('ManifestError', `${file} has ${thresholds.length} thresholds for ${classes.length} classes`);
  }
  return { path, manifest: parsed.data, modelPath: join(path, parsed.data.model.file) };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
