import { createAccount, createUser, decode, fromPublic, type User } from '@nats-io/jwt';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { joinUserCreds, nodeInboxPrefix, nodePermissions, nodeUserJwt, type NodesSigningKey, parseNodesSigningKey } from './node-user.ts';

const text = new TextDecoder();
let signingKey: NodesSigningKey;
let signer: string;

beforeAll(() => {
  const account = createAccount();
  const key = createAccount();
  signer = key.getPublicKey();
  signingKey = { account: account.getPublicKey(), seed: text.decode(key.getSeed()) };
});

function userOf(jwt: string): ReturnType<typeof decode<User>> {
  return decode<User>(jwt);
}

describe('a node user', () => {
  it('may say things about itself and hear its inbox and doorbell, nothing else', async () => {
    const publicKey = createUser().getPublicKey();
    const claims = userOf(await nodeUserJwt({ nodeId: 'cam-1', publicKey, signingKey }));
    expect(claims).toMatchObject({ name: 'cam-1', sub: publicKey, iss: signer });
    expect(claims.nats).toMatchObject({
      issuer_account: signingKey.account,
      pub: { allow: ['node.v1.cam-1.>'] },
      sub: { allow: ['_INBOX_cam-1.>', 'bell.v1.cam-1'] },
    });
    expect(claims.exp).toBeUndefined();
  });

  it('ends when it is told to, in whole seconds', async () => {
    const expiresAt = new Date('2031-01-01T00:00:00.900Z');
    const claims = userOf(await nodeUserJwt({ nodeId: 'cam-1', publicKey: createUser().getPublicKey(), signingKey, expiresAt }));
    expect(claims.exp).toBe(Date.parse('2031-01-01T00:00:00Z') / 1000);
  });

  it('is signed by the signing key', async () => {
    const jwt = await nodeUserJwt({ nodeId: 'cam-1', publicKey: createUser().getPublicKey(), signingKey });
    const [head = '', body = '', signature = ''] = jwt.split('.');
    const verify = (signed: string): boolean =>
      fromPublic(signer).verify(new TextEncoder().encode(signed), Buffer.from(signature, 'base64url'));
    expect(verify(`${head}.${body}`)).toBe(true);
    expect(verify(`${head}.${body}x`)).toBe(false);
  });

  it('never gets a name that widens its rights', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constantFrom('*', '>', 'n1.>', 'a.b', '', ' n1', 'n1\n', '_x', 'x'.repeat(65))), (nodeId) => {
        let permissions: ReturnType<typeof nodePermissions> | undefined;
        try {
          permissions = nodePermissions(nodeId);
        } catch (error) {
          expect(error).toMatchObject({ name: 'NodeIdError', nodeId });
          return;
        }
        expect(permissions.publish).toEqual([`node.v1.${nodeId}.>`]);
        expect(nodeId).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(nodeId.endsWith('\n')).toBe(false);
      }),
    );
    expect(() => nodeInboxPrefix('*')).toThrow('cannot be a node id');
  });
});

describe('a join user', () => {
  it('may ask to be enrolled and hear the answer, nothing else', async () => {
    const creds = await joinUserCreds({ signingKey });
    const jwt = /BEGIN NATS USER JWT-----\n(.*)\n/.exec(creds)?.[1] ?? '';
    expect(userOf(jwt).nats).toMatchObject({
      pub: { allow: ['enroll.v1.>'] },
      sub: { allow: ['_INBOX_join.>'] },
      issuer_account: signingKey.account,
    });
    expect(creds).toMatch(/BEGIN USER NKEY SEED-----\nSU[A-Z2-7]{56}\n/);
  });
});

describe('the signing key file', () => {
  it('is read back', () => {
    expect(parseNodesSigningKey(`${JSON.stringify(signingKey, null, 2)}\n`)).toEqual(signingKey);
  });

  it.each(['', 'SAXXXX', '{}', '{"account":"A","seed":"S"}'])('is refused when it is %j', (file) => {
    expect(() => parseNodesSigningKey(file)).toThrow(/not a signing key of the NODES account/);
  });
});
