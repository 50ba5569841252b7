import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** At most `ANSWER_CHARS_MAX`, enough to read an error's code. */
  readonly text: string;
}

const ANSWER_CHARS_MAX = 4_096;
/** Silence of this length ends the attempt; a slow link that still moves bytes does not. */
const SILENCE_MS = 30_000;

/** One PUT over HTTP or HTTPS; rejects only when no answer came. */
export function httpPut(url: URL, headers: Readonly<Record<string, string>>, body: Uint8Array): Promise<HttpAnswer> {
  const send = url.protocol === 'https:' ? tlsRequest : plainRequest;
  return new Promise((resolve, reject) => {
    const request = send(url, { method: 'PUT', headers: { ...headers, 'content-length': String(body.length) }, timeout: SILENCE_MS });
    request.on('timeout', () => request.destroy(new Error(`no byte moved for ${SILENCE_MS} ms`)));
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text = (text + chunk).slice(0, ANSWER_CHARS_MAX)));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    request.end(body);
  });
}
