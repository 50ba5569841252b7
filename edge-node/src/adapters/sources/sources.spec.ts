import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Frame, FrameSource } from '../../ports.ts';
import { tempFolders } from '../temp-folder.spec-kit.ts';
import { FolderSource } from './folder-source.ts';
import { InvalidSourceError, openSource } from './open-source.ts';
import { FRAME_BYTES_MAX, Pace } from './pace.ts';
import { SceneSource } from './scene-source.ts';
import { SnapshotSource } from './snapshot-source.ts';

const folder = tempFolders();
const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

const CLOCKS = { now: () => 1_000, monotonicMs: () => performance.now() };
const FAST = { framesPerSecond: 1_000, clocks: CLOCKS };
const NEVER = new AbortController().signal;
const jpegOf = (number: number): Uint8Array => Uint8Array.of(0xff, 0xd8, 0xff, number);

async function camera(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/snapshot.jpg`;
}

async function picturesIn(...contents: readonly (Uint8Array | string)[]): Promise<string> {
  const at = await folder();
  for (const [index, content] of contents.entries()) await writeFile(join(at, `${index}.jpg`), content);
  return at;
}

async function take(source: FrameSource, count: number): Promise<Frame[]> {
  const frames: Frame[] = [];
  for (let index = 0; index < count; index += 1) {
    const frame = await source.next(NEVER);
    if (frame !== undefined) frames.push(frame);
  }
  return frames;
}

const SOURCES: Readonly<Record<string, () => Promise<FrameSource>>> = {
  folder: async () => new FolderSource({ folder: await picturesIn(jpegOf(1), jpegOf(2)), loops: true, ...FAST }),
  scene: async () => new SceneSource({ seed: 1, camera: 'c', light: 'day', render: async ({ tick }) => ({ jpeg: jpegOf(tick) }), ...FAST }),
  snapshot: async () => {
    let number = 0;
    return new SnapshotSource({ url: await camera((_request, response) => response.end(jpegOf(number++ % 250))), ...FAST });
  },
};

describe.each(Object.entries(SOURCES))('every source of frames: %s', (_name, open) => {
  it('gives JPEGs with growing sequences and the time of capture', async () => {
    const frames = await take(await open(), 5);
    expect(frames).toHaveLength(5);
    for (const frame of frames) expect(frame).toMatchObject({ capturedAtMs: 1_000 });
    const sequences = frames.map(({ sequence }) => sequence);
    expect(sequences).toEqual([...new Set(sequences)].toSorted((a, b) => a - b));
    expect([...(frames[0]?.jpeg ?? [])].slice(0, 2)).toEqual([0xff, 0xd8]);
  });

  it('gives nothing once it is told to stop, or was closed', async () => {
    const source = await open();
    expect(await source.next(AbortSignal.abort())).toBeUndefined();
    await source.close();
    await source.close();
    expect(await source.next(NEVER)).toBeUndefined();
  });

  it('ends its wait when it is told to stop', async () => {
    const source = await open();
    await source.next(NEVER);
    const stop = new AbortController();
    const waiting = source.next(stop.signal);
    stop.abort();
    const frame = await waiting;
    expect(frame === undefined || frame.sequence > 0).toBe(true);
  });
});

describe('a folder', () => {
  it('ends after its last picture, or begins again with what lies there then', async () => {
    const at = await picturesIn(jpegOf(1), jpegOf(2));
    const once = new FolderSource({ folder: at, loops: false, ...FAST });
    expect(await take(once, 4)).toHaveLength(2);
    const looping = new FolderSource({ folder: at, loops: true, ...FAST });
    await take(looping, 2);
    await writeFile(join(at, '2.jpg'), jpegOf(3));
    expect((await take(looping, 3)).map(({ jpeg }) => jpeg[3])).toEqual([1, 2, 3]);
  });

  it('skips and counts what is no picture', async () => {
    const source = new FolderSource({ folder: await picturesIn(jpegOf(1), 'no picture', jpegOf(3)), loops: false, ...FAST });
    expect((await take(source, 2)).map(({ sequence }) => sequence)).toEqual([0, 2]);
    expect(source.skipped).toBe(1);
  });
});

describe('a camera with a snapshot address', () => {
  it('skips and counts errors, pages and pictures that it has seen', async () => {
    const answers = [jpegOf(1), jpegOf(1), 'busy', '<html>', jpegOf(2)];
    let at = 0;
    const url = await camera((_request, response) => {
      const answer = answers[at++ % answers.length];
      if (answer === 'busy') response.writeHead(503);
      response.end(answer);
    });
    const source = new SnapshotSource({ url, ...FAST });
    const frames = await take(source, 2);
    expect(frames.map(({ jpeg, sequence }) => [jpeg[3], sequence])).toEqual([
      [1, 0],
      [2, 4],
    ]);
    expect(source.counts).toEqual({ failed: 2, unchanged: 1 });
  });

  it('gives up on one that hangs, on one that sends without end, and on one that is not there', async () => {
    let asked = 0;
    const url = await camera((_request, response) => {
      asked += 1;
      if (asked === 1) return;
      if (asked > 2) return void response.end(jpegOf(9));
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(FRAME_BYTES_MAX / 4)));
        response.once('drain', more);
      };
      more();
    });
    const source = new SnapshotSource({ url, timeoutMs: 300, ...FAST });
    expect((await take(source, 1))[0]?.jpeg[3]).toBe(9);
    expect(source.counts.failed).toBe(2);
    const gone = new SnapshotSource({ url: 'http://127.0.0.1:1/', ...FAST });
    expect(await gone.next(AbortSignal.timeout(50))).toBeUndefined();
    expect(gone.counts.failed).toBeGreaterThan(0);
  });
});

describe('the pace', () => {
  it('does not make up for moments that were missed', async () => {
    let now = 0;
    const pace = new Pace(10, () => now);
    await pace.next(NEVER);
    now = 1_000;
    await pace.next(NEVER);
    const late = pace.next(AbortSignal.timeout(5_000));
    let resolved = false;
    void late.then(() => (resolved = true));
    await Promise.resolve();
    expect(resolved).toBe(false);
    await late;
  });
});

describe('a source by its configuration', () => {
  it('is opened by its kind', async () => {
    const at = await folder();
    await mkdir(join(at, 'frames'));
    expect(await openSource(`folder:${join(at, 'frames')}`, FAST)).toBeInstanceOf(FolderSource);
    expect(await openSource('http://camera/snapshot.jpg', FAST)).toBeInstanceOf(SnapshotSource);
  });

  it('draws the worksite, by day and by night', async () => {
    const frame = async (source: string) => (await take(await openSource(source, FAST), 1))[0]?.jpeg ?? new Uint8Array();
    const [day, night] = [await frame('scene:7/cam-1'), await frame('scene:7/cam-1/night')];
    expect(day.length).toBeGreaterThan(1_000);
    expect(Buffer.compare(day, night)).not.toBe(0);
    expect(Buffer.compare(day, await frame('scene:7/cam-1/day'))).toBe(0);
  });

  it.each(['folder:/nowhere/at/all', 'rtsp://camera', 'scene:x/y', 'scene:1', 'frames', 'http://'])(
    'that is %s is refused with what to write',
    async (source) => {
      await expect(openSource(source, FAST)).rejects.toThrow(InvalidSourceError);
      await expect(openSource(source, FAST)).rejects.toThrow(/EDGELOOP_SOURCE/);
    },
  );
});
