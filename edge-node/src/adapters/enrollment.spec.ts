import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLogger } from '@edgeloop/runtime';
import type { Logger } from '@edgeloop/runtime';
import { testEngines } from '@edgeloop/testkit';
import type { TestEngines } from '@edgeloop/testkit';
import { joinUserCreds } from '@edgeloop/trust/node-user';
import { createUser } from '@nats-io/nkeys';
import { enroll, InvalidJoinTokenError, JoinTokenRefusedError, parseJoinToken, readJoinToken, withoutUser } from './enrollment.ts';
import type { JoinToken } from './enrollment.ts';
import { IdentityFiles } from './identity.ts';
import { tempFolders } from './temp-folder.spec-kit.ts';

const tempFolder = tempFolders();
const log = createLogger('spec', 'silent');
const textOf = (token: object): string => Buffer.from(JSON.stringify(token)).toString('base64url');

let engines: TestEngines;
let token: JoinToken;

beforeAll(async () => {
  engines = await testEngines();
  const { NATS_URL: url = '', EDGELOOP_JOIN_CREDS: creds = '' } = engines.environment;
  token = { url, creds: await readFile(creds, 'utf8'), inviteId: 'invite-1', secret: 's'.repeat(32) };
});
afterAll(() => engines.stop());

describe('a join token', () => {
  it.each<[string, (text: string) => string]>([
    ['alone', (text) => text],
    ['with white space around it', (text) => ` \t${text}\r\n\n`],
    ['with the line breaks of a terminal in it', (text) => text.replace(/.{80}/g, '$&\n')],
  ])('is read %s', (_, around) => {
    expect(parseJoinToken(around(textOf(token)))).toEqual(token);
  });

  it('is read from the file that is named, with white space around the name too', async () => {
    const path = join(await tempFolder(), 'token');
    await writeFile(path, `\n${textOf(token)}\n`);
    expect(readJoinToken(path)).toEqual(token);
    expect(readJoinToken(` ${path}\n`)).toEqual(token);
    expect(readJoinToken(`${textOf(token)}\n`)).toEqual(token);
  });

  it.each<[string, (text: string) => string, RegExp]>([
    [
      'other text around it',
      (text) => `${text}\n\nvalid until tomorrow; on the device:\n  edgeloop-node --help`,
      /there is other text around it/,
    ],
    ['its end cut off', (text) => text.slice(0, -40), /it is damaged or cut off/],
    ['damaged credentials', () => textOf({ ...token, creds: token.creds.replace(/^SU.{8}/m, 'SUAAAAAAAA') }), /it is damaged or cut off/],
    ['no credentials', () => textOf({ ...token, creds: 'none' }), /it is damaged or cut off/],
    ['nothing in it', () => ' \n', /this is neither one nor a file that is there/],
    ['the path of no file', () => '/nowhere/token', /this is neither one nor a file that is there/],
    ['the path of a folder', () => '/', /\/ is no file that can be read/],
  ])('with %s is refused in one line that says what to give', (_, spoil, line) => {
    const read = () => readJoinToken(spoil(textOf(token)));
    expect(read).toThrow(InvalidJoinTokenError);
    expect(read).toThrow(line);
    expect(read).toThrow(/^the join token cannot be read, .*EDGELOOP_JOIN_TOKEN the first line that "edgeloop nodes invite" prints.*$/);
  });
});

describe('asking to be let in', () => {
  async function asking(given: JoinToken, more: { log?: Logger; signal?: AbortSignal } = {}): Promise<unknown> {
    const { signal = new AbortController().signal } = more;
    const files = new IdentityFiles(await tempFolder());
    return enroll({ nodeId: 'cam-1', token: given, url: undefined, attributes: {}, files, log: more.log ?? log, signal });
  }

  const expired = async (): Promise<string> =>
    joinUserCreds({ signingKey: await engines.signingKey(), expiresAt: new Date(Date.now() - 60_000) });

  it.each<[string, (creds: string) => string | Promise<string>]>([
    [
      'a signature that is not the account’s',
      (creds) => creds.replace(/^(ey[\w-]+\.[\w-]+\.)(.)/m, (_, front, first) => `${front}${first === 'A' ? 'B' : 'A'}`),
    ],
    ['its time is over', expired],
    ['the key of somebody else', (creds) => creds.replace(/^SU\w+$/m, new TextDecoder().decode(createUser().getSeed()))],
  ])('ends when the bus refuses the token: %s', async (_, spoil) => {
    const creds = await spoil(token.creds);
    expect(creds).not.toBe(token.creds);
    const failure = await asking({ ...token, creds }).catch((cause: unknown) => cause);
    expect(failure).toBeInstanceOf(JoinTokenRefusedError);
    expect(failure).toMatchObject({
      retryable: false,
      url: token.url,
      message: expect.stringContaining(`the bus at ${token.url} refuses this join token`),
    });
    expect(failure).toMatchObject({ message: expect.stringMatching(/a new one is needed.*"edgeloop nodes invite"/) });
  });

  it.each([
    ['the bus is away', () => ({ ...token, url: 'nats://127.0.0.1:1' })],
    ['the bus is there and nobody answers', () => token],
  ])('goes on until it is told to stop while %s', async (_, given) => {
    const stopping = new AbortController();
    const reason = new Error('told to stop');
    let tries = 0;
    const counting = new Proxy(log, {
      get: (target, name) => (name === 'warn' ? () => ++tries === 2 && stopping.abort(reason) : Reflect.get(target, name)),
    });
    const asked = asking(given(), { log: counting, signal: stopping.signal });
    await expect(asked).rejects.toBe(reason);
    expect(tries).toBe(2);
  });
});

it('no password of an address is logged', () => {
  expect(withoutUser('nats://me:secret@bus:4222')).toBe('nats://bus:4222');
  expect(withoutUser('nats://bus:4222')).toBe('nats://bus:4222');
});
