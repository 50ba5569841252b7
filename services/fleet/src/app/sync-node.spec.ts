import { StoreUnavailableError } from '@edgeloop/store';
import { newSigner, signDesired, verifyDesired } from '@edgeloop/trust';
import { describe, expect, it } from '@jest/globals';
import { Desired } from '@edgeloop/contracts';
import { createLogger, systemClock } from '@edgeloop/runtime';
import { START, assignment, node } from '../domain/node.fixture.ts';
import { assign } from '../domain/node.ts';
import type { Node } from '../domain/node.ts';
import type { ReleaseLinks } from '../ports.ts';
import type { Nodes } from './nodes.ts';
import { SyncNode } from './sync-node.ts';

const signer = newSigner();
const key = { keyId: signer.keyId, publicKey: signer.publicKey, sign: (text: string) => signDesired(text, signer) };

function service(known: Node | undefined, links: ReleaseLinks): SyncNode {
  const nodes = { find: (nodeId: string) => Promise.resolve(nodeId === known?.nodeId ? known : undefined) } as unknown as Nodes;
  return new SyncNode({ nodes, key, links, clock: systemClock, log: createLogger('test', 'silent') });
}

const noStore: ReleaseLinks = {
  linksFor: () => Promise.reject(new StoreUnavailableError({ bucket: 'releases', key: 'metadata/' }, 'ECONNREFUSED', 6)),
};
const silentStore: ReleaseLinks = { linksFor: () => new Promise(() => undefined) };
const someLinks: ReleaseLinks = {
  linksFor: () => Promise.resolve({ links: { 'metadata/timestamp.json': 'http://127.0.0.1/t' }, expireAt: START }),
};

describe('SyncNode', () => {
  it('answers with the whole signed truth, the same text each time', async () => {
    const assigned = assign(node(), assignment(5, 'v2')) ?? node();
    const [first, second] = [await service(assigned, someLinks).sync('cam-1'), await service(assigned, someLinks).sync('cam-1')];
    expect(first).toEqual(second);
    const text = verifyDesired(first.desired ?? { signed: '', keyId: '', signature: '' }, [signer]);
    expect(Desired.parse(JSON.parse(text))).toMatchObject({
      nodeId: 'cam-1',
      generation: 2,
      release: { releaseId: 'hardhat-v2', rolloutId: 'r1' },
    });
    expect(Object.keys(first.links)).toEqual(['metadata/timestamp.json']);
  });

  it.each([
    ['away', noStore],
    ['silent', silentStore],
  ])('gives the way back without links when the store is %s', async (_, links) => {
    const answer = await service(node(), links).sync('cam-1');
    expect(answer.links).toEqual({});
    expect(answer.desired).not.toBeNull();
  });

  it('tells a stranger that it is one', async () => {
    await expect(service(undefined, someLinks).sync('cam-2')).rejects.toMatchObject({ code: 'node-unknown' });
  });
});
