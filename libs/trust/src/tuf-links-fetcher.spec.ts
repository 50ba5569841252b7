import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type RequestListener, type Server } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RepositorySimulator } from './testing/repository-simulator.ts';
import { TufClient } from './tuf-client.ts';
import { linkSource, type MetadataLinks } from './tuf-links-fetcher.ts';

const NOW = Date.parse('2026-11-02T00:00:00Z');
const TIMESTAMP = 'metadata/timestamp.json';

let server: Server;
let answer: RequestListener;
let links: MetadataLinks;
let base: string;

beforeEach(async () => {
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  links = { [TIMESTAMP]: `${base}/timestamp?signature=abc` };
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('metadata by links', () => {
  it('verifies a repository through real HTTP, by links alone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tuf-'));
    const repository = new RepositorySimulator(NOW);
    repository.publish('hardhat/hardhat-v1.zip', Buffer.from('weights'));
    answer = (request, response) => response.end(repository.files.get(decodeURIComponent(request.url?.slice(1) ?? '')));
    links = Object.fromEntries([...repository.files.keys()].map((path) => [path, `${base}/${encodeURIComponent(path)}`]));
    const client = new TufClient({ folder, shippedRoot: repository.rootText });
    expect((await client.verifiedTarget('hardhat/hardhat-v1.zip', links, { now: NOW })).bytes).toBe(7);
    await rm(folder, { recursive: true });
  });

  it('takes a name without a link, and a link that answers 404, for a file that is not there', async () => {
    answer = (_request, response) => response.writeHead(404).end();
    expect(await linkSource(links).read('metadata/2.root.json', 100)).toBeUndefined();
    expect(await linkSource(links).read(TIMESTAMP, 100)).toBeUndefined();
    expect(await linkSource(links).read('__proto__', 100)).toBeUndefined();
  });

  it('stops reading at the cap, however much more would come', async () => {
    let sent = 0;
    answer = (_request, response) => {
      const pump = (): void => {
        while (sent < 2 ** 30 && response.write(Buffer.alloc(65_536))) sent += 65_536;
      };
      response.on('drain', pump);
      pump();
    };
    await expect(linkSource(links).read(TIMESTAMP, 16_384)).rejects.toMatchObject({ code: 'metadata-too-large', bytesMax: 16_384 });
    expect(sent).toBeLessThan(2 ** 28);
  });

  it('gives up on a sender that drips, and on one that never answers', async () => {
    const floor = { bytesMin: 1000, windowMs: 200 };
    const timers: NodeJS.Timeout[] = [];
    answer = (_request, response) => {
      response.writeHead(200);
      timers.push(setInterval(() => response.write('x'), 20));
    };
    await expect(linkSource(links, floor).read(TIMESTAMP, 16_384)).rejects.toMatchObject({ code: 'metadata-too-slow', retryable: true });
    answer = () => undefined;
    await expect(linkSource(links, floor).read(TIMESTAMP, 16_384)).rejects.toMatchObject({ code: 'metadata-too-slow' });
    for (const timer of timers) clearInterval(timer);
  });

  it('follows no redirect', async () => {
    const asked: string[] = [];
    answer = (request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(302, { location: `${base}/elsewhere` }).end();
    };
    await expect(linkSource(links).read(TIMESTAMP, 100)).rejects.toMatchObject({ code: 'metadata-unavailable' });
    expect(asked).toEqual(['/timestamp?signature=abc']);
  });

  it('says what the store answered, and that a connection was refused', async () => {
    answer = (_request, response) => response.writeHead(503).end('busy');
    await expect(linkSource(links).read(TIMESTAMP, 100)).rejects.toMatchObject({
      code: 'metadata-unavailable',
      status: 503,
      retryable: true,
    });
    const nowhere = { [TIMESTAMP]: 'http://127.0.0.1:1/' };
    await expect(linkSource(nowhere).read(TIMESTAMP, 100)).rejects.toMatchObject({ code: 'metadata-unavailable' });
  });

  it('ends when it is told to', async () => {
    answer = () => abort.abort();
    const abort = new AbortController();
    await expect(linkSource(links, undefined, abort.signal).read(TIMESTAMP, 100)).rejects.toMatchObject({ code: 'metadata-unavailable' });
  });
});
