import { type Bus, connectNode, type NodeBus, type NodeBusStatus } from '@edgeloop/bus';
import { NodeBell, NodeEnroll, NodeReport, NodeSync, type PayloadOf, SampleAccepted } from '@edgeloop/contracts';
import { eventually } from '@edgeloop/testkit';
import { credsText, nodeUserJwt } from '@edgeloop/trust/node-user';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createUser } from '@nats-io/jwt';
import { readFile } from 'node:fs/promises';
import { busFixture, type BusFixture } from './bus-fixture.ts';

let fixture: BusFixture;
let bus: Bus;
const nodes: NodeBus[] = [];
beforeAll(async () => {
  fixture = await busFixture();
  bus = await fixture.connect('fleet');
});
afterEach(() => Promise.all(nodes.splice(0).map((node) => node.close())));
afterAll(() => fixture.stop());

async function node(nodeId: string, url = fixture.engines.environment.NATS_URL ?? ''): Promise<NodeBus> {
  const key = createUser();
  const jwt = await nodeUserJwt({ nodeId, publicKey: key.getPublicKey(), signingKey: await fixture.engines.signingKey() });
  const made = connectNode({ url, nodeId, creds: { text: credsText(jwt, new TextDecoder().decode(key.getSeed())) } });
  nodes.push(made);
  return made;
}

async function connected(nodeId: string): Promise<NodeBus> {
  const made = await node(nodeId);
  expect(await made.ready(10_000)).toBe(true);
  return made;
}

function report(nodeId: string, sequence: number): PayloadOf<typeof NodeReport> {
  const nothing = { rolloutId: null, outcome: null, reason: null, detail: null, running: null };
  return {
    nodeId,
    epoch: 'epoch-0001',
    sequence,
    at: '2026-01-01T00:00:00.000Z',
    generation: 1,
    releaseId: 'm-v1',
    phase: 'idle',
    ...nothing,
  };
}

describe('a node, which has no right to the JetStream API', () => {
  it('stores facts with a receipt, once', async () => {
    const n1 = await connected('n1');
    const first = await n1.publishFact(NodeReport, report('n1', 1), { id: 'n1.1' });
    expect(first).toMatchObject({ stream: 'NODES', duplicate: false });
    expect(await n1.publishFact(NodeReport, report('n1', 1), { id: 'n1.1' })).toEqual({ ...first, duplicate: true });
    expect((await bus.lastOf(NodeReport, { nodeId: 'n1' }))?.payload.sequence).toBe(1);
  });

  it('cannot speak for another node, nor to a stream of the services', async () => {
    const n1 = await connected('n1');
    await expect(n1.publishFact(NodeReport, report('n2', 1), { id: 'n2.1', timeoutMs: 1_000 })).rejects.toMatchObject({
      name: 'ForbiddenSubjectError',
      retryable: false,
    });
    expect(await bus.lastOf(NodeReport, { nodeId: 'n2' })).toBeUndefined();
    expect(await bus.lastOf(SampleAccepted, { nodeId: 'n1', sampleId: 'a'.repeat(64) })).toBeUndefined();
  });

  it('asks, and gets its answer', async () => {
    const subscription = bus.onRequest(NodeSync, ({ nodeId }) => ({
      desired: null,
      links: { [nodeId]: 'http://127.0.0.1/x' },
      linksExpireAt: '2026-01-01T00:00:00.000Z',
    }));
    await bus.connection.flush();
    const n1 = await connected('n1');
    expect(await n1.ask(NodeSync, { nodeId: 'n1', haveGeneration: 0 })).toMatchObject({ links: { n1: 'http://127.0.0.1/x' } });
    await subscription.drain();
    await expect(n1.ask(NodeSync, { nodeId: 'n1', haveGeneration: 0 })).rejects.toMatchObject({ name: 'NoResponderError' });
  });

  it('hears its own bell only', async () => {
    const n1 = await connected('n1');
    let rings = 0;
    n1.onBell(() => {
      rings++;
      throw new Error('a listener that breaks');
    });
    await eventually(() => {
      bus.signal(NodeBell, { nodeId: 'n2' });
      bus.signal(NodeBell, { nodeId: 'n1' });
      expect(rings).toBeGreaterThan(1);
    });
  });

  it('streams telemetry through a window', async () => {
    const n1 = await connected('n1');
    const publisher = n1.windowed();
    for (let sequence = 10; sequence < 60; sequence++)
      await publisher.publish(NodeReport, report('n1', sequence), { id: `n1.${sequence}` });
    await publisher.flush();
    publisher.close();
    expect((await bus.lastOf(NodeReport, { nodeId: 'n1' }))?.payload.sequence).toBe(59);
  });

  it('joins with credentials that are good for enrolling alone', async () => {
    const subscription = bus.onRequest(NodeEnroll, () => ({ enrolled: false as const, reason: 'token-unknown' as const, say: 'no' }));
    await bus.connection.flush();
    const text = await readFile(fixture.engines.environment.EDGELOOP_JOIN_CREDS ?? '', 'utf8');
    const joining = connectNode({
      url: fixture.engines.environment.NATS_URL ?? '',
      nodeId: 'n9',
      creds: { text },
      inboxPrefix: '_INBOX_join',
    });
    nodes.push(joining);
    expect(await joining.ready(10_000)).toBe(true);
    const question = { inviteId: 'i1', secret: 's'.repeat(20), nodeId: 'n9', publicKey: createUser().getPublicKey(), attributes: {} };
    expect(await joining.ask(NodeEnroll, question)).toEqual({ enrolled: false, reason: 'token-unknown', say: 'no' });
    await subscription.drain();
  });
});

describe('a node without its bus', () => {
  it('starts all the same, says so, and refuses at once', async () => {
    const lonely = await node('n1', 'nats://127.0.0.1:1');
    const heard: NodeBusStatus[] = [];
    lonely.onStatus((status) => heard.push(status));
    await expect(lonely.publishFact(NodeReport, report('n1', 1), { id: 'x' })).rejects.toMatchObject({
      name: 'BusAwayError',
      retryable: true,
    });
    await expect(lonely.ask(NodeSync, { nodeId: 'n1', haveGeneration: 0 })).rejects.toMatchObject({ name: 'BusAwayError' });
    expect(lonely.signal(NodeBell, { nodeId: 'n1' })).toBe(false);
    await eventually(() => expect(heard.at(-1)).toMatchObject({ state: 'away', reason: expect.stringMatching(/refused/i) }));
    expect(await lonely.ready(10)).toBe(false);
  });
});
