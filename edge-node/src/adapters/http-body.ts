import { request as plainRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as tlsRequest } from 'node:https';

/** Received and not yet taken; above it the sender is held back. */
const QUEUED_BYTES_MAX = 4_194_304;

/** One GET; resolves with the head of the answer, follows no redirect. */
export function httpGet(url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<IncomingMessage> {
  const at = new URL(url);
  const send = at.protocol === 'https:' ? tlsRequest : plainRequest;
  return new Promise((resolve, reject) => {
    const request = send(at, { method: 'GET', headers, signal, agent: false });
    request.on('error', reject);
    request.on('response', resolve);
    request.end();
  });
}

/**
 * Hands every chunk over that arrived, also those before a break (`fetch` throws them away): a link that breaks all the time still makes progress.
 * Rejects when the connection broke, or with what `take` threw.
 */
export function takeBody(response: IncomingMessage, take: (chunk: Buffer) => Promise<void>): Promise<void> {
  let queued = 0;
  let taken: Promise<void> = Promise.resolve();
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      response.destroy();
      reject(cause as Error);
    };
    response.on('data', (chunk: Buffer) => {
      queued += chunk.length;
      if (queued > QUEUED_BYTES_MAX) response.pause();
      taken = taken.then(async () => {
        await take(chunk);
        queued -= chunk.length;
        if (queued <= QUEUED_BYTES_MAX) response.resume();
      });
      taken.catch(fail);
    });
    response.on('end', () => void taken.then(resolve, reject));
    response.on('error', (cause) => void taken.then(() => reject(cause), reject));
    response.on(
      'close',
      () => void taken.then(() => (response.complete ? resolve() : reject(new Error('the connection ended early'))), reject),
    );
  });
}
