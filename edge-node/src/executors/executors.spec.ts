import { createHash } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { digestOf, writePackage } from '@edgeloop/model-package';
import { MetadataExpiredError, MetadataUnavailableError, repositoryPathOf, SignatureError, TargetUnknownError } from '@edgeloop/trust';
import type { VerifiedTarget } from '@edgeloop/trust';
import { pino } from 'pino';
import { DOWNLOAD_LIMITS, Downloader } from '../adapters/downloader.ts';
import { Slots } from '../adapters/slots.ts';
import { tempFolders } from '../adapters/temp-folder.spec-kit.ts';
import { Models } from '../app/models.ts';
import type { LoadedRelease } from '../app/models.ts';
import { ProbeDesk } from '../app/probe-desk.ts';
import type { DesiredRelease } from '../domain/release.ts';
import type { Step } from '../domain/step.ts';
import { GenerationDiedError, GenerationLoadError, GenerationStoppedError } from '../inference/errors.ts';
import type { GenerationError } from '../inference/errors.ts';
import { writeModelFolder } from '../inference/model-folder.spec-kit.ts';
import type { ModelProcess, StartModel } from '../ports.ts';
import { readFile } from 'node:fs/promises';
import type { Tools } from './executor.ts';
import { execute, failureFrom } from './table.ts';

const folder = tempFolders();
const NEVER = new AbortController().signal;
const NOW = 1_767_225_600_000;

/** A process that loads whatever it is told to, and says what it is told to say. */
class ToldProcess implements ModelProcess {
  readonly loaded;
  stopped = false;
  verdict = { passed: true, largest: { score: 0, box: 0 }, failures: [] as string[] };
  readonly ended: Promise<GenerationError>;
  #end: (cause: GenerationError) => void = () => undefined;

  constructor(digest: string) {
    this.loaded = { digest, model: { name: 'm', version: 'v1', classes: ['a'] }, loadMs: 1 };
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }
  infer: ModelProcess['infer'] = () => Promise.reject(new GenerationStoppedError());
  selfTest: ModelProcess['selfTest'] = async () => this.verdict;
  async stop(): Promise<void> {
    this.stopped = true;
    this.#end(new GenerationStoppedError());
  }
  die(): void {
    this.#end(new GenerationDiedError({ code: null, signal: 'SIGKILL', stderr: '' }));
  }
}

async function setUp(options: { start?: StartModel; verified?: () => VerifiedTarget; now?: number } = {}) {
  const node = await folder();
  await mkdir(join(node, 'staging'));
  const packaged = await archiveOf(await folder());
  let serving: LoadedRelease | undefined;
  const pipeline = {
    get serving() {
      return serving;
    },
    switchTo: async (model: LoadedRelease) => {
      const before = serving;
      serving = model;
      return before;
    },
  };
  const processes: ToldProcess[] = [];
  const start: StartModel = async () => {
    const process = new ToldProcess(packaged.release.modelDigest);
    processes.push(process);
    return process;
  };
  const log = pino({ level: 'silent' });
  const tools: Tools = {
    stagingFolder: join(node, 'staging'),
    slots: new Slots(node),
    downloader: new Downloader(DOWNLOAD_LIMITS),
    tuf: { verifiedTarget: async () => (options.verified ?? (() => packaged.target))() },
    links: { links: async () => ({}) },
    models: new Models({ pipeline, start: options.start ?? start, log }),
    probe: new ProbeDesk({ framesMin: 1, durationMinMs: 0, failuresMax: 0, latencyTimesMax: 9, latencyAlwaysGoodMs: 9 }, () =>
      performance.now(),
    ),
    clock: { now: () => options.now ?? NOW },
    clockFloorMs: () => 0,
  };
  const part = join(node, 'staging', `${packaged.release.packageDigest.slice(7)}.part`);
  const run = (kind: Step['kind'], rest: Partial<Step> = {}) =>
    execute({ kind, release: packaged.release, generation: 1, proven: null, keep: [], ...rest } as Step, tools, NEVER);
  return { node, tools, run, part, processes, ...packaged };
}

/** A real package of a real model, and what the fleet and the publisher would say of it. */
async function archiveOf(at: string) {
  const { digest } = await writeModelFolder(at);
  const manifest = JSON.parse(await readFile(join(at, 'manifest.json'), 'utf8'));
  const pictures = new Map<string, Uint8Array>();
  for (const { picture } of manifest.goldens.vectors) pictures.set(picture, await readFile(join(at, picture)));
  const archive = await writePackage({ manifest, model: await readFile(join(at, 'model.onnx')), pictures });
  const packageDigest = digestOf(archive) as `sha256:${string}`;
  const release: DesiredRelease = {
    releaseId: 'blocks-v1',
    name: 'blocks',
    version: 'v1',
    rolloutId: null,
    targetPath: 'blocks/blocks-v1.zip',
    packageDigest,
    packageBytes: archive.byteLength,
    modelDigest: digest,
  };
  const repositoryPath = repositoryPathOf(release.targetPath, packageDigest.slice(7));
  const target: VerifiedTarget = { path: release.targetPath, repositoryPath, bytes: archive.byteLength, digest: packageDigest };
  return { archive, release, target };
}

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no failure',
    (cause: unknown) => failureFrom(cause),
  );

describe('verify', () => {
  it('passes what the publisher signed, and nothing else', async () => {
    const { run } = await setUp();
    expect(await run('verify')).toEqual({});
    const { run: other, target } = await setUp();
    expect(
      await failureOf(other('verify', { release: { ...(await setUp()).release, packageBytes: target.bytes + 1 } } as Partial<Step>)),
    ).toMatchObject({
      reason: 'target-mismatch',
      severity: 'final',
    });
  });

  it.each([
    [new SignatureError('0/1 keys'), 'metadata-signature', 'final'],
    [new TargetUnknownError('p'), 'target-unknown', 'retry'],
    [new MetadataExpiredError('timestamp'), 'metadata-expired', 'wait'],
    [new MetadataUnavailableError('p', 'away'), 'metadata-unavailable', 'wait'],
  ])('%s', async (error, reason, severity) => {
    const { run } = await setUp({
      verified: () => {
        throw error;
      },
    });
    expect(await failureOf(run('verify'))).toMatchObject({ reason, severity });
  });

  it('waits for a clock that is set', async () => {
    const { run } = await setUp({ now: 5_000 });
    expect(await failureOf(run('verify'))).toMatchObject({ reason: 'clock-suspect', severity: 'wait' });
  });
});

describe('stage', () => {
  it('makes a whole slot of the checked archive, leaves nothing behind, and may be repeated', async () => {
    const { run, part, archive, tools, release, node } = await setUp();
    await writeFile(part, archive);
    await run('stage');
    await tools.slots.verify(release.packageDigest);
    expect(await readdir(join(node, 'staging'))).toEqual([]);
    await run('download');
    await run('stage');
  });

  it('hashes the archive again: what the disk changed meanwhile is not unpacked', async () => {
    const { run, part, archive, node } = await setUp();
    await writeFile(part, Buffer.from(archive).fill(0, 500, 501));
    expect(await failureOf(run('stage'))).toMatchObject({ reason: 'digest-mismatch' });
    expect(await readdir(join(node, 'staging'))).toEqual([]);
  });

  it('refuses what is signed but no package, and weights other than the desired ones', async () => {
    const { run, part, release, archive } = await setUp();
    const nonsense = Buffer.from('signed, and yet no zip');
    const digest = `sha256:${createHash('sha256').update(nonsense).digest('hex')}`;
    await writeFile(part.replace(release.packageDigest.slice(7), digest.slice(7)), nonsense);
    expect(await failureOf(run('stage', { release: { ...release, packageDigest: digest } } as Partial<Step>))).toMatchObject({
      reason: 'package-invalid',
    });
    await writeFile(part, archive);
    const other = { ...release, modelDigest: `sha256:${'0'.repeat(64)}` };
    expect(await failureOf(run('stage', { release: other } as Partial<Step>))).toMatchObject({
      reason: 'model-mismatch',
      severity: 'final',
    });
  });
});

async function staged(options: Parameters<typeof setUp>[0] = {}) {
  const given = await setUp(options);
  await writeFile(given.part, given.archive);
  await given.run('stage');
  return given;
}

describe('the trial', () => {
  it('starts beside, tests, switches pointer and frames, and is committed as it was loaded', async () => {
    const { run, tools, release } = await staged();
    await run('start-generation');
    await run('self-test');
    expect(tools.models.serving).toBeUndefined();
    expect(await run('switch')).toEqual({ serving: release.packageDigest });
    expect(await tools.slots.current()).toBe(release.packageDigest);
    tools.probe.answered(release.packageDigest, { latencyMs: 1, alarms: 1, malformed: 0 });
    const probing = run('probe');
    tools.probe.answered(release.packageDigest, { latencyMs: 1, alarms: 1, malformed: 0 });
    expect(await probing).toEqual({});
    expect(await run('commit')).toEqual({});
    expect(tools.models.serving?.running).toEqual({ releaseId: release.releaseId, modelDigest: release.modelDigest, generation: 1 });
  });

  it.each([
    [new GenerationLoadError('OnnxUnreadableError', 'no model'), 'final'],
    [new GenerationDiedError({ code: null, signal: 'SIGKILL', stderr: '' }), 'retry'],
  ])('%s does not load', async (error, severity) => {
    const { run } = await staged({ start: () => Promise.reject(error) });
    expect(await failureOf(run('start-generation'))).toMatchObject({ reason: 'load-failed', severity });
  });

  it('that answers its goldens otherwise is refused with the differences', async () => {
    const { run, processes } = await staged();
    await run('start-generation');
    const [process] = processes;
    process!.verdict = { passed: false, largest: { score: 1, box: 1 }, failures: ['golden/00.jpg: a box is missing'] };
    expect(await failureOf(run('self-test'))).toMatchObject({
      reason: 'golden-mismatch',
      severity: 'final',
      detail: expect.stringContaining('missing'),
    });
  });

  it('whose process loaded other bytes than desired is refused', async () => {
    const { run } = await staged({ start: async () => new ToldProcess(`sha256:${'f'.repeat(64)}`) });
    expect(await failureOf(run('start-generation'))).toMatchObject({ reason: 'model-mismatch' });
  });

  it('is not started from a slot that was damaged', async () => {
    const { run, tools, release } = await staged();
    await writeFile(join(tools.slots.pathOf(release.packageDigest), 'model.onnx'), 'x');
    expect(await failureOf(run('start-generation'))).toMatchObject({ reason: 'slot-damaged', severity: 'final' });
    expect(await failureOf(run('resume'))).toMatchObject({ reason: 'slot-damaged', severity: 'final' });
  });

  it('that dies while it is probed fails, and cannot be committed', async () => {
    const { run, processes } = await staged();
    await run('start-generation');
    await run('switch');
    const probing = failureOf(run('probe'));
    processes[0]!.die();
    expect(await probing).toMatchObject({ reason: 'generation-died', severity: 'final' });
    expect(await failureOf(run('commit'))).toMatchObject({ reason: 'generation-died' });
  });
});

describe('the way back', () => {
  it('without a proven release ends in none', async () => {
    const { run, tools, processes } = await staged();
    await run('start-generation');
    await run('switch');
    expect(await run('roll-back')).toEqual({ serving: null });
    expect(await tools.slots.current()).toBeNull();
    expect(tools.models.serving).toBeUndefined();
    expect(processes[0]?.stopped).toBe(true);
  });

  it('leaves a proven release that never stopped serving as it is, however often it is repeated', async () => {
    const { run, tools, release, processes } = await staged();
    await run('resume');
    const trial = { ...release, packageDigest: `sha256:${'1'.repeat(64)}` };
    const step = { release: trial, proven: { release, generation: 1 } } as Partial<Step>;
    for (let turn = 0; turn < 2; turn += 1) expect(await run('roll-back', step)).toEqual({ serving: release.packageDigest });
    expect(processes[0]?.stopped).toBe(false);
    expect(tools.models.serving?.release).toEqual(release);
  });

  it('retiring ends every process and points at nothing; tidying removes what nobody needs', async () => {
    const { run, tools, node } = await staged();
    await run('resume');
    expect(await run('retire')).toEqual({ serving: null });
    expect(tools.models.serving).toBeUndefined();
    await run('tidy');
    expect(await readdir(join(node, 'slots'))).toEqual([]);
  });
});

describe('a failure that no step names', () => {
  it('of the disk is named as such, any other as internal', () => {
    expect(failureFrom(Object.assign(new Error('full'), { code: 'ENOSPC' }))).toMatchObject({ reason: 'no-space', severity: 'retry' });
    expect(failureFrom(Object.assign(new Error('ro'), { code: 'EROFS' }))).toMatchObject({ reason: 'read-only' });
    expect(failureFrom(Object.assign(new Error('bad'), { code: 'EIO' }))).toMatchObject({ reason: 'io-error' });
    expect(failureFrom(new TypeError('oops'))).toMatchObject({ reason: 'internal-error', detail: 'oops' });
  });
});
