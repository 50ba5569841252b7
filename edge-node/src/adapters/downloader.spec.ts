import { createHash, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Downloader } from './downloader.ts';
import type { DownloadRequest } from './downloader.ts';
import { tempFolders } from './temp-folder.spec-kit.ts';

const folder = tempFolders();
const CONTENT = randomBytes(200_000);
const DIGEST = `sha256:${createHash('sha256').update(CONTENT).digest('hex')}`;
const LIMITS = { floorBytes: 1_024, floorWindowMs: 200, resumePauseMs: 1 };

type Answer = (request: IncomingMessage, response: ServerResponse, start: number) => void;
const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** A store that behaves as told, and counts what it sent. */
async function store(answer: Answer): Promise<{ url: string; asked: number[] }> {
  const asked: number[] = [];
  const server = createServer((request, response) => {
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    asked.push(start);
    answer(request, response, start);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/p.zip`, asked };
}

const honest: Answer = (_request, response, start) => {
  const headers = { 'content-length': CONTENT.length - start, 'content-range': `bytes ${start}-${CONTENT.length - 1}/${CONTENT.length}` };
  response.writeHead(start > 0 ? 206 : 200, headers).end(CONTENT.subarray(start));
};

async function download(url: string | undefined, rest: Partial<DownloadRequest> = {}): Promise<string> {
  const path = rest.path ?? join(await folder(), 'package.part');
  await new Downloader(LIMITS).download({
    link: async () => url,
    path,
    bytes: CONTENT.length,
    digest: DIGEST,
    signal: AbortSignal.timeout(20_000),
    ...rest,
  });
  return path;
}

describe('the downloader', () => {
  it('gets a whole, checked file', async () => {
    const { url } = await store(honest);
    expect(Buffer.compare(await readFile(await download(url)), CONTENT)).toBe(0);
  });

  it('goes on where a killed agent left off', async () => {
    const { url, asked } = await store(honest);
    const path = join(await folder(), 'package.part');
    await writeFile(path, CONTENT.subarray(0, 150_000));
    await download(url, { path });
    expect(asked).toEqual([150_000]);
  });

  it('goes on after every broken connection, and fetches no byte twice', async () => {
    let sent = 0;
    const { url, asked } = await store((_request, response, start) => {
      const end = Math.min(CONTENT.length, start + 9_000);
      response.writeHead(start > 0 ? 206 : 200, {
        'content-length': CONTENT.length - start,
        'content-range': `bytes ${start}-${CONTENT.length - 1}/${CONTENT.length}`,
      });
      sent += end - start;
      response.write(CONTENT.subarray(start, end), () => (end < CONTENT.length ? response.destroy() : response.end()));
    });
    await download(url);
    expect(asked.length).toBeGreaterThan(10);
    expect(sent).toBeLessThanOrEqual(CONTENT.length * 1.2);
  });

  it('starts again when the server ignores ranges: two answers are never spliced', async () => {
    const { url } = await store((_request, response) => response.writeHead(200, { 'content-length': CONTENT.length }).end(CONTENT));
    const path = join(await folder(), 'package.part');
    await writeFile(path, randomBytes(1_000));
    await download(url, { path });
    expect(Buffer.compare(await readFile(path), CONTENT)).toBe(0);
  });

  it('refuses other bytes of the right length, and keeps none of them', async () => {
    const other = Buffer.from(CONTENT).fill(7, 1_000, 1_001);
    const { url } = await store((_request, response) => response.end(other));
    const path = join(await folder(), 'package.part');
    await expect(download(url, { path })).rejects.toMatchObject({ reason: 'digest-mismatch', severity: 'retry' });
    await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('refuses what a captive portal says', async () => {
    const { url } = await store((_request, response) => response.end('<html>please pay</html>'));
    await expect(download(url)).rejects.toMatchObject({ reason: 'not-our-content' });
  });

  it('cuts an endless body at the signed length', async () => {
    const { url } = await store((_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(CONTENT));
        response.once('drain', more);
      };
      more();
    });
    await expect(download(url)).rejects.toMatchObject({ reason: 'not-our-content' });
  });

  it('does not wait for a store that has gone silent', async () => {
    const { url } = await store((_request, response) => {
      response.writeHead(200, { 'content-length': CONTENT.length });
      response.write(CONTENT.subarray(0, 10));
    });
    await expect(download(url, { bytes: CONTENT.length })).rejects.toMatchObject({ reason: 'too-slow', severity: 'wait' });
  });

  it('waits for a store that is away, forbids, or has no link yet', async () => {
    const { url } = await store((_request, response) => response.writeHead(403).end());
    await expect(download(url)).rejects.toMatchObject({ reason: 'unreachable', severity: 'wait' });
    await expect(download('http://127.0.0.1:1/p.zip')).rejects.toMatchObject({ reason: 'unreachable', severity: 'wait' });
    await expect(download(undefined)).rejects.toMatchObject({ reason: 'unreachable', severity: 'wait' });
  });

  it('says how many bytes are missing when the disk cannot hold it, before it asks for any', async () => {
    const { url, asked } = await store(honest);
    await expect(download(url, { bytes: 1e15 })).rejects.toMatchObject({
      reason: 'no-space',
      detail: expect.stringMatching(/free \d+ bytes/),
    });
    expect(asked).toEqual([]);
  });

  it('stops at once when it is told to', async () => {
    const { url } = await store((_request, response) => {
      response.writeHead(200, { 'content-length': CONTENT.length });
      response.write(CONTENT.subarray(0, 10));
    });
    await expect(download(url, { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});
