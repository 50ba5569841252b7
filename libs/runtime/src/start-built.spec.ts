import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@edgeloop/testkit';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const STARTER = join('libs', 'runtime', 'bin', 'start-built.mjs');
const WRAPPER = join('libs', 'vision', 'bin', 'edgeloop-evaluate.mjs');
const BUILT = join('libs', 'vision', 'dist', 'bin', 'evaluate.js');
/** As if an older Node had called. */
const OLD = ['--import', `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.20.2'}})`];

type Workspace = Readonly<Record<string, { readonly bin?: Readonly<Record<string, string>>; readonly link?: boolean }>>;

describe('the commands of the workspaces', () => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as { readonly packages: Workspace };
  const commands = Object.entries(lock.packages)
    .filter(([folder, { bin }]) => bin !== undefined && !folder.startsWith('node_modules/'))
    .flatMap(([folder, { bin = {} }]) => Object.entries(bin).map(([command, path]) => ({ command, folder, path })));

  it('are all in the lock', () => {
    expect(commands.map(({ command }) => command).toSorted()).toEqual([
      'edgeloop',
      'edgeloop-evaluate',
      'edgeloop-node',
      'edgeloop-worksite-export',
    ]);
  });

  // npm links a command only when its file is there, and nothing is built when it does.
  it.each(commands)('$command is a program before anything is built', ({ command, folder, path }) => {
    const { bin = {} } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as { bin?: Record<string, string> };
    expect(bin[command]?.replace(/^\.\//, '')).toBe(path);
    expect(path).not.toContain('dist/');
    expect(statSync(join(ROOT, folder, path)).mode & 0o111).toBe(0o111);
    expect(readFileSync(join(ROOT, folder, path), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });
});

describe('a command', () => {
  let root: string;
  const ownNode = (): string => join(root, 'node_modules', 'node', 'bin', 'node');

  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'edgeloop-start-')));
    for (const file of [STARTER, WRAPPER]) {
      await mkdir(dirname(join(root, file)), { recursive: true });
      await copyFile(join(ROOT, file), join(root, file));
    }
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  async function put(path: string, text: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    await chmod(path, 0o755);
  }

  function start(nodeArgs: readonly string[], ...args: string[]) {
    const child = spawn(process.execPath, [...nodeArgs, join(root, WRAPPER), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    child.stdout.on('data', (text: Buffer) => (said.stdout += text.toString()));
    child.stderr.on('data', (text: Buffer) => (said.stderr += text.toString()));
    const ended = new Promise<{ status: number | null; stdout: string; stderr: string }>((done) => {
      child.once('close', (status) => done({ status, ...said }));
    });
    return { child, said, ended };
  }

  it('runs what was built', async () => {
    await put(join(root, BUILT), 'console.log(process.argv.slice(2).join("|")); process.exitCode = 3;');
    await put(join(root, 'libs', 'vision', 'package.json'), '{"type": "module"}');
    expect(await start([], '--a', 'b c').ended).toEqual({ status: 3, stdout: '--a|b c\n', stderr: '' });
  });

  it('says that it is not built yet', async () => {
    const line = `edgeloop-evaluate: not built yet: run "npm run setup" in ${root}/ first\n`;
    expect(await start([]).ended).toEqual({ status: 1, stdout: '', stderr: line });
    await put(join(root, BUILT), 'import "./half-built.js";');
    expect(await start([]).ended).toMatchObject({ status: 1, stderr: line });
  });

  it('keeps the failure of what was built', async () => {
    await put(join(root, BUILT), 'throw new TypeError("a fault of the program");');
    expect(await start([]).ended).toMatchObject({ status: 1, stderr: expect.stringContaining('TypeError: a fault of the program') });
  });

  it('hands over to the Node of the repository when the calling one is too old, with its arguments and its exit status', async () => {
    await put(ownNode(), '#!/bin/sh\nprintf "%s|" "$@"\nexit 7\n');
    expect(await start(OLD, '--a', 'b c').ended).toEqual({ status: 7, stdout: `${join(root, WRAPPER)}|--a|b c|`, stderr: '' });
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('passes %s on to it, and its end', async (signal) => {
    await put(
      ownNode(),
      `#!${process.execPath}\nprocess.on('${signal}', () => process.exit(9)); setInterval(() => {}, 1e6); console.log('up');`,
    );
    const { child, said, ended } = start(OLD);
    await eventually(() => expect(said.stdout).toBe('up\n'));
    child.kill(signal);
    expect(await ended).toMatchObject({ status: 9 });
  });

  it('tells the signal that ended it, as a shell would', async () => {
    await put(ownNode(), '#!/bin/sh\nkill -KILL $$\n');
    expect(await start(OLD).ended).toMatchObject({ status: 137 });
  });

  it.each([
    ['there is none', () => Promise.resolve()],
    // It would start itself for ever.
    ['it is the calling one', () => mkdir(dirname(ownNode()), { recursive: true }).then(() => symlink(process.execPath, ownNode()))],
    ['it does not run', () => put(ownNode(), '#!/nowhere/at/all\n')],
  ])('says in one line which Node is needed when %s', async (_, prepare) => {
    await prepare();
    const { status, stderr } = await start(OLD).ended;
    expect(status).toBe(1);
    expect(stderr).toMatch(/^edgeloop-evaluate: Node 24 is needed and this is 20\.20\.2.*: run "npm ci" in .*, or install Node 24\n$/);
  });
});
