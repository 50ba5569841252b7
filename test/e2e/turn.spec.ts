import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { engineEnvironment } from '@edgeloop/testkit';

const ROOT = resolve(import.meta.dirname, '..', '..');
/** Of the demo, training included, on a slow and busy machine. */
const TURN_LIMIT_MS = 25 * 60_000;
/** What the demo's gate lets a slice fall by. */
const DAY_FALL_MAX = 0.1;
const SERVICES = 8;
const ENGINES = 2;

interface Release {
  readonly version: string;
  readonly digest: string;
  readonly day: number;
  readonly night: number;
}

interface Report {
  readonly rounds: readonly {
    readonly trigger: string;
    readonly labels: number;
    readonly trainSeconds: number;
    readonly incumbent: Release;
    readonly candidate: Release;
    readonly gate: { readonly verdict: string };
    readonly rollout: { readonly waves: readonly { readonly nodes: readonly string[] }[]; readonly halted: boolean };
  }[];
  readonly samples: {
    readonly accepted: number;
    readonly lost: number;
    readonly doubled: number;
    readonly redelivered: number;
    readonly quarantined: number;
  };
  readonly nodes: readonly { readonly id: string; readonly running: string | null; readonly frames: number }[];
  readonly seconds: { readonly total: number; readonly perArrow: Readonly<Record<string, number>> };
  readonly better: { readonly verdict: boolean };
  readonly chaos: { readonly killed: readonly { readonly name: string }[] };
}

let folder: string;
let printed = '';
let exitCode: number | null;
let report: Report;

/** The demo in a home of its own that shares engines and Python with the repository's. */
async function play(args: readonly string[]): Promise<number | null> {
  const shared = engineEnvironment()['EDGELOOP_HOME'] as string;
  const home = join(folder, 'home');
  await mkdir(home, { recursive: true });
  for (const part of ['engines', 'python', 'python.json']) await symlink(join(shared, part), join(home, part)).catch(() => undefined);
  const child = spawn(process.execPath, [join(ROOT, 'examples', 'demo', 'dist', 'main.js'), ...args], {
    env: { ...engineEnvironment(), EDGELOOP_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (printed += text.toString('utf8')));
  return new Promise((done) => child.once('exit', done));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgeloop-turn-'));
  exitCode = await play(['--once', '--chaos', '--keep', join(folder, 'kept')]);
  report = JSON.parse(await readFile(join(folder, 'kept', 'report.json'), 'utf8').catch(() => '{}')) as Report;
}, TURN_LIMIT_MS);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('one unattended turn of the loop, with everything killed once', () => {
  it('ends with a scorecard, and with the exit status that its verdict asks for', () => {
    expect(printed.slice(-4000)).toContain('Scorecard');
    expect(exitCode).toBe(report.better.verdict ? 0 : 1);
  });

  it('made a model that sees the night and has not forgotten the day', () => {
    const [round] = report.rounds;
    expect(round?.gate.verdict).toBe('passed');
    expect((round?.candidate.night ?? 0) - (round?.incumbent.night ?? 1)).toBeGreaterThan(0.2);
    // Frames are collected and trained on at the pace of the machine: the score of one turn differs from another's by some hundredths.
    expect((round?.incumbent.day ?? 1) - (round?.candidate.day ?? 0)).toBeLessThanOrEqual(DAY_FALL_MAX);
    expect(round?.candidate.digest).not.toBe(round?.incumbent.digest);
  });

  it('was set going by drift and labels, not by the script', () => {
    expect(report.rounds[0]?.trigger).toMatch(/new labels/);
    expect(printed).toMatch(/cam-\d left its baseline/);
  });

  it('killed every service, both engines and a node', () => {
    expect(new Set(report.chaos.killed.map((each) => each.name)).size).toBe(SERVICES + ENGINES + 1);
  });

  it('lost nothing and doubled nothing, though things were delivered again', () => {
    expect(report.samples).toMatchObject({ lost: 0, doubled: 0 });
    expect(report.samples.accepted).toBeGreaterThan(50);
    expect(report.samples.redelivered).toBeGreaterThan(0);
  });

  it('left every node running the new release', () => {
    expect(report.nodes).toHaveLength(3);
    for (const node of report.nodes)
      expect(node).toMatchObject({ running: expect.stringMatching(/^hardhat-v[2-9]$/), frames: expect.any(Number) });
  });

  it('kept what anyone needs to score it again', async () => {
    const releases = await readdir(join(folder, 'kept', 'releases'));
    expect(releases).toEqual(expect.arrayContaining(['hardhat-v1.onnx', 'hardhat-v1.zip']));
    expect((await readdir(join(folder, 'kept', 'datasets'))).length).toBeGreaterThanOrEqual(2);
    expect(await readdir(join(folder, 'kept'))).toEqual(expect.arrayContaining(['before.png', 'after.png']));
  });
});
