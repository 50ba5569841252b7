import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, testEngines, type TestEngines } from '@edgeloop/testkit';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';

/** What a node may and may not do on the bus, tried on the real server. */
describe('rights on the bus', () => {
  let suite: TestEngines;
  let core: NatsConnection;
  const open: NatsConnection[] = [];

  beforeAll(async () => {
    suite = await testEngines();
    core = await connect(await suite.coreConnectionOptions());
    const manager = await jetstreamManager(core);
    await manager.streams.add({ name: 'FACTS', subjects: ['node.v1.*.report', 'node.v1.*.telemetry'] });
  });

  afterEach(async () => {
    await Promise.all(open.splice(0).map((connection) => connection.close()));
  });

  afterAll(async () => {
    await core?.close();
    await suite?.stop();
  });

  async function node(nodeId: string): Promise<NatsConnection> {
    const connection = await connect({ ...(await suite.nodeConnectionOptions(nodeId)), reconnect: false });
    open.push(connection);
    return connection;
  }

  async function joiner(): Promise<NatsConnection> {
    const connection = await connect({ ...(await suite.joinConnectionOptions()), reconnect: false });
    open.push(connection);
    return connection;
  }

  /** Refusals arrive on the status feed: publishing is not answered. */
  function refusals(connection: NatsConnection): string[] {
    const seen: string[] = [];
    void (async () => {
      for await (const status of connection.status()) if (status.type === 'error') seen.push(String(status.error.message));
    })();
    return seen;
  }

  it('stores a fact that a node publishes, without any right on the JetStream API, once', async () => {
    const n1 = await node('n1');
    const first = await jetstream(n1, { apiPrefix: '$JS.API', timeout: 5_000 }).publish('node.v1.n1.report', 'x', { msgID: 'r-1' });
    const second = await jetstream(n1, { timeout: 5_000 }).publish('node.v1.n1.report', 'x', { msgID: 'r-1' });
    expect(first).toMatchObject({ stream: 'FACTS', duplicate: false });
    expect(second).toMatchObject({ stream: 'FACTS', duplicate: true });
  });

  it('lets a service answer a question of a node, and not see its inbox', async () => {
    const replies: (string | undefined)[] = [];
    const subscription = core.subscribe('node.v1.*.sync', {
      callback: (_error, message) => {
        replies.push(message.reply);
        message.respond('desired');
      },
    });
    await core.flush();
    const answer = await (await node('n1')).request('node.v1.n1.sync', '', { timeout: 5_000 });
    subscription.unsubscribe();
    expect(answer.string()).toBe('desired');
    expect(replies[0]).toMatch(/^_R_\./);
  });

  it('rings the doorbell of one node and of no other', async () => {
    const [n1, n2] = [await node('n1'), await node('n2')];
    const rung: string[] = [];
    n1.subscribe('bell.v1.n1', { callback: () => void rung.push('n1') });
    n2.subscribe('bell.v1.n2', { callback: () => void rung.push('n2') });
    await Promise.all([n1.flush(), n2.flush()]);
    core.publish('bell.v1.n1');
    await eventually(() => expect(rung).toEqual(['n1']));
    core.publish('bell.v1.n2');
    await eventually(() => expect(rung).toEqual(['n1', 'n2']));
  });

  it.each([
    'node.v1.n2.report',
    '$JS.API.INFO',
    '$SYS.REQ.SERVER.PING',
    'bell.v1.n2',
    'enroll.v1.token',
    'run.v1.r1.started',
    '_INBOX_n2.known',
  ])('refuses that node n1 publishes %s', async (subject) => {
    const n1 = await node('n1');
    const seen = refusals(n1);
    n1.publish(subject, 'x');
    await eventually(() => expect(seen.join()).toMatch(/Permissions Violation for Publish/i));
  });

  it.each(['_INBOX_n2.>', '_INBOX.>', '>', 'bell.v1.n2', 'bell.v1.*', 'node.v1.>', 'node.v1.n1.>', '_R_.>'])(
    'refuses that node n1 subscribes to %s',
    async (subject) => {
      const n1 = await node('n1');
      const refused = new Promise<Error | null>((resolve) => n1.subscribe(subject, { callback: (error) => resolve(error) }));
      expect((await refused)?.message).toMatch(/Permissions Violation for Subscription/i);
    },
  );

  it('stores nothing under another node when its fact subject is given as reply', async () => {
    const n1 = await node('n1');
    await jetstream(n1).publish('node.v1.n1.report', 'forged', { msgID: 'r-forge' });
    n1.publish('node.v1.n1.report', 'forged', { reply: 'node.v1.n2.report' });
    await n1.flush();
    const manager = await jetstreamManager(core);
    await eventually(async () =>
      expect((await manager.streams.info('FACTS', { subjects_filter: '>' })).state.subjects?.['node.v1.n1.report']).toBe(3),
    );
    expect((await manager.streams.info('FACTS', { subjects_filter: '>' })).state.subjects).not.toHaveProperty('node.v1.n2.report');
  });

  it('lets a joiner ask to be enrolled and do nothing else', async () => {
    core.subscribe('enroll.v1.*', { callback: (_error, message) => void message.respond('welcome'), max: 1 });
    await core.flush();
    const guest = await joiner();
    expect((await guest.request('enroll.v1.token-1', '', { timeout: 5_000 })).string()).toBe('welcome');
    const seen = refusals(guest);
    guest.publish('node.v1.n1.report', 'x');
    await eventually(() => expect(seen.join()).toMatch(/Permissions Violation for Publish/i));
    const overheard = new Promise<Error | null>((resolve) => guest.subscribe('_INBOX_n1.>', { callback: (error) => resolve(error) }));
    expect((await overheard)?.message).toMatch(/Permissions Violation for Subscription/i);
  });

  it('gives nodes no JetStream of their own', async () => {
    const n1 = await node('n1');
    await expect(jetstreamManager(n1, { timeout: 2_000 })).rejects.toThrow();
  });

  it('refuses a client without credentials', async () => {
    await expect(connect({ servers: suite.environment.NATS_URL, reconnect: false })).rejects.toThrow(/authorization/i);
  });
});
