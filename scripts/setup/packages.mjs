/** Step 1: the npm packages, exactly as package-lock.json says. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { explain, SetupError } from './errors.mjs';
import { runCommand } from './run-command.mjs';
import { hashOf, readStamp, writeStamp } from './stamps.mjs';

const STEP = 'packages';
const REMOVALS_MAX = 5;

/** True when what lies in node_modules (its own hidden lock) is what the lock asks for; packages for other systems may be missing. */
export function installedMatchesLock(lock, installed) {
  const wanted = Object.entries(lock?.packages ?? {}).filter(([path, entry]) => path.startsWith('node_modules/') && !entry.link);
  return (
    wanted.length > 0 &&
    wanted.every(([path, entry]) => {
      const found = installed?.packages?.[path];
      if (!found) return Boolean(entry.optional);
      const sameBytes = !entry.integrity || !found.integrity || found.integrity === entry.integrity;
      return found.version === entry.version && sameBytes;
    })
  );
}

export function packagesFresh({ root }) {
  // Kept inside node_modules: whoever deletes that folder deletes the stamp with it.
  return readStamp(stampPath(root))?.hash === inputs(root) && existsSync(nodeBinary(root));
}

export async function installPackages(context) {
  const { root } = context;
  const found = readJson(join(root, 'node_modules', '.package-lock.json'));
  if (!found || !installedMatchesLock(readJson(join(root, 'package-lock.json')), found)) await npmCi(context);
  if (!existsSync(nodeBinary(root))) await fetchNode(context);
  writeStamp(stampPath(root), inputs(root));
  return { told: 'npm packages are in place' };
}

/** `npm ci` refuses a lock that misses optional packages of other systems; `npm install` takes the same versions by the same hashes. */
async function npmCi(context) {
  const logPath = context.logFor(STEP);
  const refused = await npm(context, ['ci'], logPath);
  if (refused.code === 0) return;
  const retry = await npmAgain(context, refused, logPath);
  if (retry.code === 0) return;
  throw new SetupError(
    STEP,
    retry.code === 127 ? 'npm is not installed: install Node.js 20 or newer with npm' : `npm failed: ${explain(retry.output)}`,
    logPath,
  );
}

async function npmAgain(context, refused, logPath) {
  if (/EUSAGE/.test(refused.output)) return npm(context, ['install', '--no-save'], logPath);
  if (!/ENOTEMPTY/.test(refused.output)) return refused;
  // What an interrupted npm left half-way stands in the way of the next one.
  rmSync(join(context.root, 'node_modules'), { recursive: true, force: true, maxRetries: REMOVALS_MAX });
  return npm(context, ['ci'], logPath);
}

function npm({ root, env, signal }, command, logPath) {
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
  // The install script of onnxruntime-node fetches GPU files that nothing here uses.
  return runCommand('npm', [...command, ...quiet], { cwd: root, env: { ...env, ONNXRUNTIME_NODE_INSTALL: 'skip' }, logPath, signal });
}

/** The `node` package fetches its binary in an install script, and some npm settings switch those off. */
async function fetchNode({ root, env, logFor, signal }) {
  const logPath = logFor(STEP);
  const script = 'installArchSpecificPackage.js';
  const result = await runCommand(process.execPath, [script], { cwd: join(root, 'node_modules', 'node'), env, logPath, signal });
  if (!existsSync(nodeBinary(root))) throw new SetupError(STEP, `Node.js 24 could not be fetched: ${explain(result.output)}`, logPath);
}

function nodeBinary(root) {
  return join(root, 'node_modules', 'node', 'bin', 'node');
}

function stampPath(root) {
  return join(root, 'node_modules', '.edgeloop-stamp.json');
}

function inputs(root) {
  return hashOf(readFileSync(join(root, 'package-lock.json')), `${process.platform}-${process.arch}`);
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
