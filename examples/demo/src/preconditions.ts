import { access, constants, mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pythonFile } from '@edgeloop/cli';
import type { DemoOptions } from './options.ts';
import { requireRoom } from './disk-room.ts';
import { UserError } from './user-error.ts';

async function requirePython(path: string): Promise<void> {
  try {
    const { python } = JSON.parse(await readFile(path, 'utf8')) as { python: string };
    await access(python, constants.X_OK);
  } catch (cause) {
    throw new UserError(
      `no Python that can train is set up (${path} names none): run "npm run setup", which needs python3 with pip, or set EDGELOOP_PYTHON to one that imports torch, onnx and PIL first`,
      { cause },
    );
  }
}

async function requireFolder(option: string, folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw new UserError(`${folder} cannot be written to (${(cause as { code?: string }).code ?? 'unknown'}): give another ${option}`, {
      cause,
    });
  }
}

async function requireFile(option: string, path: string): Promise<void> {
  await requireFolder(option, dirname(path));
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) throw new UserError(`${path} is a folder: give ${option} the name of a file`);
}

/** What a turn would only miss after minutes, or at its very end. @throws UserError */
export async function requirePreconditions({ report, keep }: DemoOptions, dataDir: string): Promise<void> {
  await requirePython(pythonFile());
  if (report !== undefined) await requireFile('--report', resolve(report));
  if (keep !== undefined) await requireFolder('--keep', resolve(keep));
  await requireRoom(dataDir);
}
