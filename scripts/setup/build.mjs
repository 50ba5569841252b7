/** Step 2: TypeScript to JavaScript, when a source changed since the last time. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './errors.mjs';
import { runCommand } from './run-command.mjs';
import { hashOf, readStamp, writeStamp } from './stamps.mjs';

const STEP = 'build';
const SOURCE_ROOTS = ['libs', 'services', 'edge-node', 'examples', 'test'];
const SKIPPED_FOLDERS = new Set(['node_modules', 'dist']);
const ERRORS_SHOWN_MAX = 5;

export function buildFresh(context) {
  return readStamp(stampPath(context))?.hash === inputs(context.root) && outputsExist(context.root);
}

export async function build(context) {
  const { root, env, logFor, signal } = context;
  const before = inputs(root);
  const logPath = logFor(STEP);
  const result = await runCommand(join(root, 'node_modules', '.bin', 'tsc'), ['-b'], { cwd: root, env, logPath, signal });
  if (result.code !== 0) throw new SetupError(STEP, buildFailure(result.output), logPath);
  writeStamp(stampPath(context), before);
  return { told: 'TypeScript is compiled' };
}

function buildFailure(output) {
  const errors = output.split('\n').filter((line) => /error TS\d+/.test(line));
  const shown = errors
    .slice(0, ERRORS_SHOWN_MAX)
    .map((line) => `\n    ${line}`)
    .join('');
  return `TypeScript found ${errors.length || 'some'} error(s); correct them and run the command again${shown}`;
}

/** Names, sizes and times of all sources: reading them all would take longer than an empty build. */
function inputs(root) {
  const entries = [];
  for (const folder of SOURCE_ROOTS) collect(join(root, folder), entries);
  for (const file of ['tsconfig.json', 'tsconfig.base.json', 'package-lock.json']) entries.push(describe(join(root, file)));
  return hashOf(entries.sort().join('\n'));
}

function collect(folder, entries) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !SKIPPED_FOLDERS.has(entry.name)) collect(path, entries);
    else if (entry.isFile() && /\.(ts|tsx)$|^(tsconfig|package)\.json$/.test(entry.name)) entries.push(describe(path));
  }
}

function describe(path) {
  const { size, mtimeMs } = statSync(path);
  return `${path} ${size} ${mtimeMs}`;
}

/** Whoever deletes a dist folder wants it back. */
function outputsExist(root) {
  const { references } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
  return references.every(({ path }) => existsSync(join(root, path, 'dist')));
}

function stampPath({ home }) {
  return join(home, 'stamps', 'build.json');
}
