#!/usr/bin/env node
/**
 * Makes a fresh clone ready: npm packages, compiled TypeScript, engines, a Python environment for training.
 * Plain Node 20, no packages. Each step leaves a stamp and is skipped while its inputs are the same; an interrupted
 * set-up goes on where it was. Usage: node scripts/setup.mjs [--for start|test]
 */
import { writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, buildFresh } from './setup/build.mjs';
import { enginesFresh, enginesNeeded, installEngines } from './setup/engines.mjs';
import { SetupError } from './setup/errors.mjs';
import { withLock } from './setup/lock.mjs';
import { installPackages, packagesFresh } from './setup/packages.mjs';
import { Progress } from './setup/progress.mjs';
import { preparePython, pythonFresh } from './setup/python.mjs';

const NODE_OLDEST = 20;
const INTERRUPTED = 130;
/** What is being installed has this long to end after a Ctrl-C. */
const END_WITHIN_MS = 6_000;

async function main() {
  if (Number(process.versions.node.split('.')[0]) < NODE_OLDEST)
    throw new SetupError('node', `Node.js ${process.versions.node} is too old: install Node.js ${NODE_OLDEST} or newer`);
  const context = contextOf(process.argv.slice(2), process.env);
  if (allFresh(context)) return;
  const startedAt = Date.now();
  endOnSignals(context.abort);
  const progress = new Progress();
  progress.line('Setting up (once; Ctrl-C is safe, it goes on where it was) …');
  const wait = (pid) => progress.line(`  another set-up is running (pid ${pid}); waiting for it`);
  try {
    await withLock(join(context.home, 'setup.lock'), wait, () => setUp(context, progress));
    tellDuration(context.home, (Date.now() - startedAt) / 1000);
  } finally {
    progress.close();
  }
}

/** For the scorecard of the start that waits for this set-up. */
function tellDuration(home, seconds) {
  writeFileSync(join(home, 'last-setup.json'), JSON.stringify({ endedAtMs: Date.now(), seconds }));
}

function contextOf(argv, env) {
  const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
  const home = resolve(env.EDGELOOP_HOME || join(root, '.edgeloop'));
  const purpose = argv.includes('--for') ? argv[argv.indexOf('--for') + 1] : 'start';
  const abort = new AbortController();
  // The compiler and the install scripts must run under the Node that the product runs under.
  const path = [join(root, 'node_modules', '.bin'), env.PATH].join(':');
  return {
    root,
    home,
    purpose,
    abort,
    signal: abort.signal,
    env: { ...env, PATH: path },
    logFor: (step) => join(home, 'logs', `setup-${step}.log`),
  };
}

function allFresh(context) {
  return (
    packagesFresh(context) &&
    buildFresh(context) &&
    (!enginesNeeded(context.purpose, context.env) || enginesFresh(context)) &&
    pythonFresh(context)
  );
}

/** What needs Node goes one after the other, what needs Python beside it; the first failure ends both. */
async function setUp(context, progress) {
  const step = async (name, isFresh, run) => {
    if (!isFresh(context)) await progress.during(name, (detail) => run({ ...context, detail }));
  };
  const code = async () => {
    await step('packages', packagesFresh, installPackages);
    await step('build', buildFresh, build);
    if (enginesNeeded(context.purpose, context.env)) await step('engines', enginesFresh, installEngines);
  };
  await allOrAbort(context.abort, [code(), step('python', pythonFresh, preparePython)]);
}

async function allOrAbort(abort, tasks) {
  let first;
  const settled = tasks.map((task) =>
    task.catch((cause) => {
      first ??= cause;
      abort.abort();
    }),
  );
  await Promise.all(settled);
  if (first) throw first;
}

/** Ends what it started before it ends itself; a second signal, or what does not end in time, ends it at once. */
function endOnSignals(abort) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (interrupted) endInterrupted();
      interrupted = true;
      abort.abort();
      setTimeout(endInterrupted, END_WITHIN_MS).unref();
    });
  }
}

function endInterrupted() {
  process.stderr.write('\nSet-up interrupted; run the same command again and it goes on where it was.\n');
  process.exit(INTERRUPTED);
}

let interrupted = false;
try {
  await main();
} catch (cause) {
  if (!interrupted) tellFailure(cause);
}
if (interrupted) endInterrupted();

function tellFailure(cause) {
  const isKnown = cause instanceof SetupError;
  process.stderr.write(
    `set-up: ${isKnown ? `${cause.step}: ${cause.message}` : cause.stack}\n${isKnown && cause.logPath ? `  full output: ${cause.logPath}\n` : ''}`,
  );
  process.exitCode = 1;
}
