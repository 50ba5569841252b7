import { type Bus, Refusal, UnreadableReplyError } from '@edgeloop/bus';
import { AskCancelRun, AskRuns, NodeBell, NodeHeartbeat, NodeSync } from '@edgeloop/contracts';
import { eventually } from '@edgeloop/testkit';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { busFixture, type BusFixture } from './bus-fixture.ts';

let fixture: BusFixture;
let asker: Bus;
let responder: Bus;
beforeAll(async () => {
  fixture = await busFixture();
  asker = await fixture.connect('asker');
  responder = await fixture.connect('responder');
});
afterAll(() => fixture.stop());

async function answering<T>(handler: Parameters<typeof responder.onRequest<typeof AskCancelRun>>[1], during: () => Promise<T>): Promise<T> {
  const subscription = responder.onRequest(AskCancelRun, handler);
  await responder.connection.flush();
  try {
    return await during();
  } finally {
    await subscription.drain();
  }
}

describe('questions', () => {
  it('get one answer, with defaults filled in on the way', async () => {
    const limits: number[] = [];
    const subscription = responder.onRequest(AskRuns, ({ limit }) => {
      limits.push(limit);
      return { runs: [] };
    });
    await responder.connection.flush();
    expect(await asker.ask(AskRuns, {})).toEqual({ runs: [] });
    expect(limits).toEqual([100]);
    await subscription.drain();
  });

  it('are shared by the replicas of a service', async () => {
    const twin = await fixture.connect('responder');
    let answers = 0;
    const count = (): { cancelled: boolean } => ({ cancelled: ++answers > 0 });
    const other = twin.onRequest(AskCancelRun, count);
    await twin.connection.flush();
    await answering(count, async () => {
      await Promise.all(Array.from({ length: 10 }, () => asker.ask(AskCancelRun, { runId: 'r1' })));
    });
    expect(answers).toBe(10);
    await other.drain();
  });

  it('fail at once, and may be repeated, when nobody is there', async () => {
    await expect(asker.ask(AskCancelRun, { runId: 'r1' })).rejects.toMatchObject({ name: 'NoResponderError', retryable: true });
  });

  it('time out, and may be repeated', async () => {
    const ask = (): Promise<unknown> => asker.ask(AskCancelRun, { runId: 'r1' }, { timeoutMs: 50 });
    let answer = (): void => undefined;
    const late = new Promise<{ cancelled: boolean }>((resolve) => (answer = () => resolve({ cancelled: true })));
    await answering(
      () => late,
      async () => {
        await expect(ask()).rejects.toMatchObject({ name: 'AskTimeoutError', retryable: true, timeoutMs: 50 });
        answer();
      },
    );
  });

  it('are refused with code and words, line breaks and umlauts included', async () => {
    const words = 'no:\nthe run is längst vorbei';
    await answering(
      () => Promise.reject(new Refusal('run-over', words, { retryable: true })),
      () =>
        expect(asker.ask(AskCancelRun, { runId: 'r1' })).rejects.toMatchObject({
          name: 'AskRefusedError',
          code: 'run-over',
          message: words,
          retryable: true,
        }),
    );
  });

  it('are refused as failed when the responder breaks, and worth another try unless it says otherwise', async () => {
    await answering(
      () => Promise.reject(new Error('disk on fire')),
      () => expect(asker.ask(AskCancelRun, { runId: 'r1' })).rejects.toMatchObject({ code: 'failed', retryable: true }),
    );
    await answering(
      () => ({ cancelled: 'maybe' }) as never,
      () => expect(asker.ask(AskCancelRun, { runId: 'r1' })).rejects.toMatchObject({ code: 'failed', retryable: false }),
    );
  });

  it('are refused as invalid when they are malformed or lie about who asks', async () => {
    const subscription = responder.onRequest(NodeSync, () => ({ desired: null, links: {}, linksExpireAt: '2026-01-01T00:00:00.000Z' }));
    await responder.connection.flush();
    const raw = async (subject: string, body: string): Promise<string | undefined> =>
      (await asker.connection.request(subject, body)).headers?.get('Edgeloop-Error-Code');
    expect(await raw('node.v1.n1.sync', '{')).toBe('invalid-request');
    expect(await raw('node.v1.n1.sync', '{"nodeId":"n2","haveGeneration":0}')).toBe('invalid-request');
    expect(await raw('node.v1.n1.sync', '{"nodeId":"n1","haveGeneration":0}')).toBeUndefined();
    await subscription.drain();
  });

  it('name an answer that breaks the contract', async () => {
    const subscription = responder.connection.subscribe('ask.v1.trainer.cancel', {
      callback: (_error, message) => void message.respond('{"cancelled":1}'),
    });
    await responder.connection.flush();
    await expect(asker.ask(AskCancelRun, { runId: 'r1' })).rejects.toThrow(UnreadableReplyError);
    subscription.unsubscribe();
  });

  it('are answered that came before the drain, and refused by nobody after it', async () => {
    let answer = (): void => undefined;
    const work = new Promise<{ cancelled: boolean }>((resolve) => (answer = () => resolve({ cancelled: true })));
    let asked = false;
    const subscription = responder.onRequest(AskCancelRun, () => {
      asked = true;
      return work;
    });
    await responder.connection.flush();
    const waiting = asker.ask(AskCancelRun, { runId: 'r1' });
    await eventually(() => expect(asked).toBe(true));
    const drained = subscription.drain();
    answer();
    expect(await waiting).toEqual({ cancelled: true });
    await drained;
    await expect(asker.ask(AskCancelRun, { runId: 'r1' })).rejects.toMatchObject({ name: 'NoResponderError' });
  });
});

describe('signals', () => {
  it('reach every listener, and a listener that throws stays alive', async () => {
    const heard: string[] = [];
    const first = responder.onSignal(NodeBell, ({ nodeId }, { tokens, correlationId }) => {
      heard.push(`first ${nodeId} ${tokens['nodeId'] ?? ''} ${correlationId.startsWith('signal.')}`);
      throw new Error('deaf');
    });
    const second = responder.onSignal(NodeBell, ({ nodeId }) => void heard.push(`second ${nodeId}`));
    await responder.connection.flush();
    asker.signal(NodeBell, { nodeId: 'n1' });
    asker.signal(NodeBell, { nodeId: 'n2' });
    await eventually(() => expect(heard.toSorted()).toEqual(['first n1 n1 true', 'first n2 n2 true', 'second n1', 'second n2']));
    await Promise.all([first.drain(), second.drain()]);
  });

  it('that are malformed or lie about who speaks are not handed on', async () => {
    const heard: string[] = [];
    const subscription = responder.onSignal(NodeBell, ({ nodeId }) => void heard.push(nodeId));
    await responder.connection.flush();
    asker.connection.publish('bell.v1.n1', '{"nodeId":"n2"}');
    asker.connection.publish('bell.v1.n1', 'ding');
    asker.signal(NodeBell, { nodeId: 'n1' });
    await eventually(() => expect(heard).toEqual(['n1']));
    expect(NodeHeartbeat.kind).toBe('signal');
    await subscription.drain();
  });
});
