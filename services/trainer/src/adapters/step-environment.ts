import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const PythonFile = z.object({ python: z.string(), env: z.record(z.string(), z.string()).default({}) });

/** No interpreter that can train was set up. */
export class NoPythonError extends Error {
  override readonly name = 'NoPythonError';
  readonly retryable = false;
  constructor(path: string, options?: ErrorOptions) {
    super(
      `${path} does not name a Python that can train: run "npm run setup", or set EDGELOOP_PYTHON to one that imports torch, onnx and PIL`,
      options,
    );
  }
}

async function readPython(path: string | undefined): Promise<z.output<typeof PythonFile>> {
  if (path === undefined) return { python: 'python3', env: {} };
  try {
    return PythonFile.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new NoPythonError(path, { cause });
  }
}

/** `python` and `python3` that are the interpreter set-up chose; a link would make a virtual environment forget where it is. */
async function writeWrappers(folder: string, python: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of ['python', 'python3']) {
    const path = join(folder, name);
    await writeFile(path, `#!/bin/sh\nexec '${python.replaceAll("'", `'"'"'`)}' "$@"\n`);
    await chmod(path, 0o755);
  }
}

/** What every step finds in its environment beside Valohai's own variables; nothing of the trainer's secrets is among it. */
export async function stepEnvironment(options: {
  readonly pythonFile: string | undefined;
  readonly folder: string;
  readonly own: NodeJS.ProcessEnv;
}): Promise<Readonly<Record<string, string>>> {
  const { python, env } = await readPython(options.pythonFile);
  const wrappers = join(options.folder, 'bin');
  await writeWrappers(wrappers, python);
  const passed = ['HOME', 'TMPDIR', 'LANG', 'LD_LIBRARY_PATH', 'CUDA_VISIBLE_DEVICES'].flatMap((name) =>
    options.own[name] === undefined ? [] : [[name, options.own[name]] as const],
  );
  return {
    ...Object.fromEntries(passed),
    PATH: [wrappers, dirname(process.execPath), options.own['PATH'] ?? ''].join(':'),
    PYTHONUNBUFFERED: '1',
    // Threads that spin while they wait starve the services beside them.
    OMP_WAIT_POLICY: 'PASSIVE',
    ...env,
    EDGELOOP_PYTHON: join(wrappers, 'python'),
    EDGELOOP_NODE: process.execPath,
    EDGELOOP_EVALUATE: join(dirname(fileURLToPath(import.meta.resolve('@edgeloop/vision'))), 'bin', 'evaluate.js'),
  };
}
