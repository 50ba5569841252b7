import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { engineEnvironment } from '@edgeloop/testkit';

const run = promisify(execFile);
const EXAMPLE = resolve(import.meta.dirname, '..', '..', 'examples', 'hardhat');
const LIMIT_MS = 10 * 60_000;

/** The interpreter that set-up chose. */
function python(): { python: string; env: Record<string, string> } | undefined {
  const file = join(engineEnvironment()['EDGELOOP_HOME'] as string, 'python.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { python: string; env: Record<string, string> }) : undefined;
}

describe('the steps of the example', () => {
  it(
    'pass their own tests in the environment that they run in',
    async () => {
      const chosen = python();
      if (!chosen) throw new Error('there is no .edgeloop/python.json: run "npm run setup"');
      const { stderr } = await run(chosen.python, ['-m', 'unittest', 'discover', '-s', 'tests', '-t', '.'], {
        cwd: EXAMPLE,
        env: { ...process.env, ...chosen.env },
        timeout: LIMIT_MS,
        maxBuffer: 32 * 1024 * 1024,
      });
      expect(stderr).toMatch(/Ran [1-9]\d* tests[\s\S]*OK/);
    },
    LIMIT_MS,
  );
});
