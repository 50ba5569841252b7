import { createHash, createHmac } from 'node:crypto';
import type { SessionCredentials } from './upload-session.ts';

/**
 * AWS Signature Version 4 for exactly one request: a whole-body, create-only, checksummed PUT. The node sends nothing else, and the
 * general signer would cost it a fifth of its memory budget; the spec compares this one with the general signer.
 */
export interface PutToSign {
  readonly url: URL;
  readonly bodySha256Hex: string;
  readonly contentType: string;
  readonly credentials: SessionCredentials;
  readonly nowMs: number;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';

/** Headers to send with the PUT, `host` and `content-length` left to the HTTP client. */
export function signedPutHeaders(put: PutToSign): Record<string, string> {
  const stamp = `${new Date(put.nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '')}`;
  const headers: Record<string, string> = {
    'content-type': put.contentType,
    'if-none-match': '*',
    'x-amz-checksum-sha256': Buffer.from(put.bodySha256Hex, 'hex').toString('base64'),
    'x-amz-content-sha256': put.bodySha256Hex,
    'x-amz-date': stamp,
    'x-amz-security-token': put.credentials.sessionToken,
  };
  return { ...headers, authorization: authorization(put, { ...headers, host: put.url.host }, stamp) };
}

function authorization(put: PutToSign, signed: Readonly<Record<string, string>>, stamp: string): string {
  const scope = `${stamp.slice(0, 8)}/${put.credentials.region}/s3/aws4_request`;
  const names = Object.keys(signed).toSorted();
  const lines = names.map((name) => `${name}:${signed[name]}\n`).join('');
  const canonical = ['PUT', put.url.pathname, '', lines, names.join(';'), put.bodySha256Hex].join('\n');
  const toSign = [ALGORITHM, stamp, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = scope.split('/').reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${put.credentials.secretAccessKey}`);
  const signature = hmac(key, toSign).toString('hex');
  return `${ALGORITHM} Credential=${put.credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
