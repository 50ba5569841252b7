import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { sha256Hex } from '../digest.ts';
import { signedPutHeaders, type PutToSign } from './sigv4-put.ts';

/** The general signer's hash, on Node's own. */
class Sha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Buffer);
  }
  update(data: string | Uint8Array): void {
    this.#hash.update(data);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}

async function generallySigned(put: PutToSign): Promise<string | undefined> {
  const { authorization: _ours, ...headers } = signedPutHeaders(put);
  const { accessKeyId, secretAccessKey, sessionToken, region } = put.credentials;
  const credentials = { accessKeyId, secretAccessKey, sessionToken };
  const signer = new SignatureV4({ service: 's3', region, credentials, sha256: Sha256 as never, uriEscapePath: false });
  const signed = (await signer.sign(
    {
      method: 'PUT',
      protocol: put.url.protocol,
      hostname: put.url.hostname,
      path: put.url.pathname,
      query: {},
      headers: { ...headers, host: put.url.host },
    } as never,
    { signingDate: new Date(put.nowMs) },
  )) as unknown as { headers: Record<string, string> };
  return signed.headers['authorization'];
}

const text = (pattern: RegExp): fc.Arbitrary<string> => fc.stringMatching(pattern);

describe('the signature of an upload', () => {
  it('is the one that the general signer makes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          key: text(/^[A-Za-z0-9._-]{1,20}\/[A-Za-z0-9_-]{1,20}\.jpg$/),
          secretAccessKey: text(/^[A-Za-z0-9/+]{20,40}$/),
          sessionToken: text(/^[A-Za-z0-9._=-]{1,80}$/),
          region: fc.constantFrom('us-east-1', 'eu-north-1'),
          body: fc.uint8Array({ maxLength: 40 }),
          nowMs: fc.integer({ min: 0, max: 4e12 }),
        }),
        async ({ key, body, nowMs, ...secrets }) => {
          const endpoint = 'http://127.0.0.1:8333';
          const put = {
            url: new URL(`/samples/${key}`, endpoint),
            bodySha256Hex: sha256Hex(body),
            contentType: 'image/jpeg',
            credentials: { endpoint, accessKeyId: 'AKID', ...secrets },
            nowMs,
          };
          expect(signedPutHeaders(put)['authorization']).toBe(await generallySigned(put));
        },
      ),
      { numRuns: 50 },
    );
  });
});
