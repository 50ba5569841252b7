import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@edgeloop/testkit';
import {
  FrameFailedError,
  GenerationBusyError,
  GenerationDiedError,
  GenerationHungError,
  GenerationLoadError,
  GenerationMemoryError,
  GenerationStoppedError,
} from './errors.ts';
import { Generation } from './generation.ts';
import type { GenerationOptions } from './generation.ts';
import { FRAMES_IN_FLIGHT_MAX } from './limits.ts';
import { blockPicture, writeModelFolder } from './model-folder.spec-kit.ts';
import type { ModelFolderOptions } from './model-folder.spec-kit.ts';

/** Convolutions that make one run of the small model last long enough to be caught in. */
const SLOW = { ballast: 200 };

let root: string;
let folders = 0;
const started: Generation[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'edgeloop-generation-'));
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((generation) => generation.stop()));
});

afterAll(() => rm(root, { recursive: true, force: true }));

async function folder(options?: ModelFolderOptions): Promise<string> {
  const path = join(root, `model-${folders++}`);
  await writeModelFolder(path, options);
  return path;
}

async function start(options: Omit<GenerationOptions, 'modelDir'> & { model?: ModelFolderOptions } = {}): Promise<Generation> {
  const { model, ...rest } = options;
  const generation = await Generation.start({ modelDir: await folder(model), ...rest });
  started.push(generation);
  return generation;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('a generation', () => {
  it('says which weights were loaded, passes its goldens and sees', async () => {
    const modelDir = join(root, 'model-serving');
    const { digest } = await writeModelFolder(modelDir);
    const generation = await Generation.start({ modelDir });
    started.push(generation);
    expect(generation.loaded).toMatchObject({ digest, model: { name: 'blocks', version: 'v1', classes: ['red', 'blue'] } });
    expect(await generation.selfTest()).toMatchObject({ passed: true, failures: [] });

    const { boxes, picture, candidates, stats, latencyMs } = await generation.infer(await blockPicture('blue', 12, 320), [
      { low: 0.5, high: 1 },
    ]);
    expect(picture).toEqual({ width: 320, height: 320 });
    expect(boxes).toHaveLength(1);
    const { score, ...box } = boxes[0]!;
    expect(score).toBeGreaterThan(0.9);
    expect(box).toEqual({ classId: 1, cx: 0.25, cy: 0.15, w: 0.1, h: 0.1, alarm: true });
    expect(candidates).toMatchObject({ perBand: [1], malformed: 0 });
    expect(candidates.maxScorePerClass[1]).toBe(score);
    expect(stats.brightness).toBeGreaterThan(0.4);
    expect(stats.hash).toMatch(/^[0-9a-f]{16}$/);
    expect(latencyMs).toBeGreaterThan(0);
  });

  it('keeps boxes under the alarm threshold, marked', async () => {
    const change: ModelFolderOptions['change'] = (manifest) => ({ ...manifest, model: { ...manifest.model, thresholds: [1, 0.5] } });
    const generation = await start({ model: { change } });
    const { boxes } = await generation.infer(await blockPicture('red', 0));
    expect(boxes).toMatchObject([{ classId: 0, alarm: false }]);
  });

  it('fails its goldens when the weights answer otherwise than the packager saw', async () => {
    const blind = await start({ model: { model: { fault: 'blind' }, goldensOf: {} } });
    const verdict = await blind.selfTest();
    expect(verdict.passed).toBe(false);
    expect(verdict.failures).toHaveLength(2);
  });

  it('shows weights that answer with NaN', async () => {
    const damaged = await start({ model: { model: { fault: 'damaged' }, goldensOf: {} } });
    const { boxes, candidates } = await damaged.infer(await blockPicture('red', 0));
    expect(boxes).toEqual([]);
    expect(candidates.malformed).toBeGreaterThan(0);
    expect((await damaged.selfTest()).passed).toBe(false);
  });

  it('answers as many frames at a time as it takes, in their order, and refuses one more', async () => {
    const generation = await start({ model: { model: SLOW } });
    const pictures = await Promise.all(Array.from({ length: FRAMES_IN_FLIGHT_MAX }, (_, cell) => blockPicture('red', cell)));
    const order: number[] = [];
    const answers = pictures.map(async (picture, index) => {
      const { boxes } = await generation.infer(picture);
      order.push(index);
      return boxes[0]!.cx;
    });
    await expect(generation.infer(pictures[0]!)).rejects.toBeInstanceOf(GenerationBusyError);
    const found = await Promise.all(answers);
    for (const [index, cx] of found.entries()) expect(cx).toBeCloseTo(0.05 + index / 10, 6);
    expect(order).toEqual([...order].toSorted((a, b) => a - b));
  });

  it('goes on after a frame that cannot be read, in order', async () => {
    const generation = await start();
    const [bad, good] = await Promise.allSettled([
      generation.infer(Uint8Array.of(1, 2, 3)),
      generation.infer(await blockPicture('red', 3)),
    ]);
    expect(bad).toMatchObject({ status: 'rejected', reason: expect.objectContaining({ causeName: 'UnreadablePictureError' }) });
    expect((bad as PromiseRejectedResult).reason).toBeInstanceOf(FrameFailedError);
    expect(good).toMatchObject({ status: 'fulfilled', value: { boxes: [{ classId: 0 }] } });
  });

  it.each<[string, () => Promise<string>, string]>([
    ['no manifest', async () => root, 'ManifestError'],
    ['a manifest of another shape', () => spoilt('manifest.json', '{"format":99}'), 'ManifestError'],
    [
      'weights that the manifest does not name',
      () => folder({ change: (m) => ({ ...m, model: { ...m.model, digest: `sha256:${'0'.repeat(64)}` } }) }),
      'DigestMismatchError',
    ],
    ['weights that are no model', () => spoilt('model.onnx', 'no model'), 'OnnxUnreadableError'],
    [
      'a layout that the weights do not have',
      () => folder({ change: (m) => ({ ...m, model: { ...m.model, layout: 'yolov8' } }) }),
      'LayoutMismatchError',
    ],
    [
      'thresholds for other classes',
      () => folder({ change: (m) => ({ ...m, model: { ...m.model, thresholds: [0.5] } }) }),
      'ManifestError',
    ],
  ])('does not start with %s, and leaves no process', async (_, make, causeName) => {
    const failure = await Generation.start({ modelDir: await make() }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(GenerationLoadError);
    expect(failure).toMatchObject({ causeName, retryable: false });
  });

  async function spoilt(file: string, content: string): Promise<string> {
    const path = await folder();
    await writeFile(join(path, file), content);
    return path;
  }
});

describe('the end of a generation', () => {
  it('killed under a frame: the frame fails with the cause, as does every later one', async () => {
    const generation = await start({ model: { model: SLOW } });
    const answer = generation.infer(await blockPicture('red', 0)).catch((error: unknown) => error);
    process.kill(generation.pid!, 'SIGKILL');
    const failure = await answer;
    expect(failure).toBeInstanceOf(GenerationDiedError);
    expect(failure).toMatchObject({ retryable: true, end: { signal: 'SIGKILL' } });
    expect(await generation.ended).toBe(failure);
    await expect(generation.infer(new Uint8Array())).rejects.toBe(failure);
  });

  it('hung: killed at the deadline of the frame', async () => {
    const generation = await start({ frameDeadlineMs: 300 });
    process.kill(generation.pid!, 'SIGSTOP');
    const failure = await generation.infer(await blockPicture('red', 0)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(GenerationHungError);
    expect(failure).toMatchObject({ what: 'frame', deadlineMs: 300 });
    expect(isAlive(generation.pid!)).toBe(false);
  });

  it('not loaded at the deadline: killed', async () => {
    await expect(Generation.start({ modelDir: await folder(), loadDeadlineMs: 1 })).rejects.toBeInstanceOf(GenerationHungError);
  });

  it('not wanted any more before or while it loads: killed', async () => {
    const before = Generation.start({ modelDir: await folder() }, AbortSignal.abort());
    await expect(before).rejects.toMatchObject({ name: 'AbortError' });
    const abort = new AbortController();
    const during = Generation.start({ modelDir: await folder() }, abort.signal);
    setTimeout(() => abort.abort(), 50);
    await expect(during).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('over its memory limit: ends itself and says so', async () => {
    const limit = 20 * 1024 * 1024;
    const generation = await Generation.start({ modelDir: await folder(), memoryBytesMax: limit }).catch((error: unknown) => error);
    const failure = generation instanceof Generation ? await generation.ended : generation;
    expect(failure).toBeInstanceOf(GenerationMemoryError);
    expect(failure).toMatchObject({ limitBytes: limit });
    expect((failure as GenerationMemoryError).residentBytes).toBeGreaterThan(limit);
  });

  it('stopped: the process is gone, frames under way and later ones fail, a second stop changes nothing', async () => {
    const generation = await start({ model: { model: SLOW } });
    const answer = generation.infer(await blockPicture('red', 0)).catch((error: unknown) => error);
    await generation.stop();
    expect(await answer).toBeInstanceOf(GenerationStoppedError);
    expect(await generation.ended).toBeInstanceOf(GenerationStoppedError);
    expect(isAlive(generation.pid!)).toBe(false);
    await expect(generation.infer(new Uint8Array())).rejects.toBeInstanceOf(GenerationStoppedError);
    await generation.stop();
  });

  it('stopped while it hangs: killed after the grace', async () => {
    const generation = await start({ stopGraceMs: 200 });
    process.kill(generation.pid!, 'SIGSTOP');
    await generation.stop();
    expect(isAlive(generation.pid!)).toBe(false);
  });

  it('outlives a Ctrl-C that is meant for the agent', async () => {
    const generation = await start();
    process.kill(generation.pid!, 'SIGINT');
    process.kill(generation.pid!, 'SIGTERM');
    expect((await generation.infer(await blockPicture('red', 0))).boxes).toHaveLength(1);
  });

  it('goes with an agent that is killed', async () => {
    const script = `
      import { Generation } from ${JSON.stringify(join(import.meta.dirname, 'generation.ts'))};
      const generation = await Generation.start({ modelDir: ${JSON.stringify(await folder())} });
      console.log(generation.pid);
      setInterval(() => {}, 1000);`;
    const agent = spawn(process.execPath, ['--conditions=@edgeloop/source', '--no-warnings', '--input-type=module', '--eval', script], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(agent.stdout, 'data')) as [Buffer];
    const pid = Number(String(line));
    expect(isAlive(pid)).toBe(true);
    agent.kill('SIGKILL');
    await eventually(() => expect(isAlive(pid)).toBe(false));
  });

  const withProc = existsSync('/proc/self/environ') ? it : it.skip;
  withProc("never had the agent's secrets in its environment", async () => {
    process.env['EDGELOOP_TEST_SECRET'] = 'do-not-tell';
    const generation = await start();
    delete process.env['EDGELOOP_TEST_SECRET'];
    const environment = await readFile(`/proc/${generation.pid!}/environ`, 'utf8');
    expect(environment).toContain('PATH=');
    expect(environment).not.toContain('do-not-tell');
  });
});
