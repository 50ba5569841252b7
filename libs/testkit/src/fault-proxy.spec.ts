import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from './eventually.ts';
import { FaultProxy } from './fault-proxy.ts';

/** Says back what it hears. */
async function echoServer(): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

class Caller {
  readonly socket: Socket;
  heard = '';
  closed = false;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1' });
    this.socket.on('data', (piece) => (this.heard += piece.toString()));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => (this.closed = true));
  }
}

describe('fault proxy', () => {
  let server: Server;
  let proxy: FaultProxy;
  let callers: Caller[];

  const call = (): Caller => {
    const caller = new Caller(proxy.port);
    callers.push(caller);
    return caller;
  };

  beforeEach(async () => {
    callers = [];
    server = await echoServer();
    proxy = await FaultProxy.before(`nats://127.0.0.1:${(server.address() as { port: number }).port}`);
  });

  afterEach(async () => {
    for (const { socket } of callers) socket.destroy();
    await proxy.stop();
    await new Promise((resolve) => server.close(resolve));
  });

  it('passes bytes both ways, in order and whole', async () => {
    const caller = call();
    const text = Array.from({ length: 20_000 }, (_, index) => `${index},`).join('');
    caller.socket.write(text);
    await eventually(() => expect(caller.heard.length).toBe(text.length));
    expect(caller.heard).toBe(text);
    expect(proxy.counts()).toMatchObject({ connections: 1, broken: 0, bytesPassed: 2 * text.length });
  });

  it('cuts what is up, refuses what is new, and passes again after restore', async () => {
    const caller = call();
    caller.socket.write('a');
    await eventually(() => expect(caller.heard).toBe('a'));
    proxy.cut();
    await eventually(() => expect(caller.closed).toBe(true));
    const refused = call();
    await eventually(() => expect(refused.closed).toBe(true));
    expect(proxy.counts()).toMatchObject({ broken: 1, refused: 1 });
    proxy.restore();
    const again = call();
    again.socket.write('b');
    await eventually(() => expect(again.heard).toBe('b'));
  });

  it('swallows bytes while half open and keeps the connection, then breaks it on restore', async () => {
    const caller = call();
    caller.socket.write('a');
    await eventually(() => expect(caller.heard).toBe('a'));
    proxy.halfOpen();
    caller.socket.write('lost');
    await eventually(() => expect(proxy.counts().bytesSwallowed).toBe(4));
    expect(caller).toMatchObject({ heard: 'a', closed: false });
    proxy.restore();
    await eventually(() => expect(caller.closed).toBe(true));
  });

  it('holds pieces back without changing their order', async () => {
    proxy.delay(30);
    const caller = call();
    for (const word of ['one ', 'two ', 'three']) caller.socket.write(word);
    await eventually(() => expect(caller.heard).toBe('one two three'));
    expect(proxy.counts().delayed).toBeGreaterThanOrEqual(2);
  });
});
