#!/usr/bin/env node
/**
 * Runs Jest under the project's own Node and closes with one plain line: `N passed, N failed`.
 * Arguments go to Jest: `npm test -- libs/engines`. Exit status 0 only if tests ran and none failed.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { closingLine, together, verdictOf } from './test/verdict.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

function runJest(outputFile, args) {
  const node = join(root, 'node_modules', '.bin', 'node');
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const child = spawn(node, [...flags, jest, '--json', `--outputFile=${outputFile}`, ...args], {
    cwd: root,
    stdio: ['inherit', 'ignore', 'inherit'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((settle) => {
    child.once('error', () => settle(127));
    child.once('close', (code) => settle(code ?? 130));
  });
}

function readResults(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** A whole turn trains a model while everything else runs: each gets the machine to itself, after all others. */
const ALONE = 'test/e2e/turn';

function phasesOf(args) {
  return args.length > 0 ? [args] : [[`--testPathIgnorePatterns=${ALONE}`], [ALONE, '--runInBand']];
}

async function runPhase(args) {
  const folder = mkdtempSync(join(tmpdir(), 'edgeloop-jest-'));
  try {
    const output = join(folder, 'results.json');
    const code = await runJest(output, args);
    return verdictOf(readResults(output), code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const verdicts = [];
for (const args of phasesOf(process.argv.slice(2))) verdicts.push(await runPhase(args));
const verdict = together(verdicts);
if (verdict.why) process.stderr.write(`\n${verdict.why}\n`);
process.stdout.write(`\n${closingLine(verdict)}\n`);
process.exitCode = verdict.exitCode;
