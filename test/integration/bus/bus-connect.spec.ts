import { connectBus } from '@edgeloop/bus';
import { eventually, testEngines, type TestEngines } from '@edgeloop/testkit';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createUser, encodeUser, fmtCreds, createAccount } from '@nats-io/jwt';
import { connect as dial, createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { SILENT } from './bus-fixture.ts';

let engines: TestEngines;
beforeAll(async () => {
  engines = await testEngines();
});
afterAll(() => engines.stop());

function options(url = engines.environment.NATS_URL ?? ''): Parameters<typeof connectBus>[0] {
  return { service: 'late', url, creds: { path: engines.environment.NATS_CREDS ?? '' }, log: SILENT };
}

/** Credentials that are well made, by somebody whom the server does not know. */
async function strangersCreds(): Promise<string> {
  const user = createUser();
  return new TextDecoder().decode(fmtCreds(await encodeUser('stranger', user, createAccount()), user));
}

describe('connecting', () => {
  it('says what to do when nobody is there within the budget', async () => {
    const failure = await connectBus({ ...options('nats://127.0.0.1:1'), connectBudgetMs: 100 }).catch((cause: unknown) => cause);
    expect(failure).toMatchObject({ name: 'ConnectError', retryable: true, url: 'nats://127.0.0.1:1' });
    expect((failure as Error).message).toMatch(/start it, or set NATS_URL and NATS_CREDS/);
  });

  it('does not wait for a server that says no', async () => {
    const refused = connectBus({ ...options(), creds: { text: await strangersCreds() } });
    await expect(refused).rejects.toMatchObject({ name: 'ConnectError', cause: { name: 'AuthorizationError' } });
  });

  it('names a credentials file that is not there', async () => {
    await expect(connectBus({ ...options(), creds: { path: '/nowhere/core.creds' } })).rejects.toThrow(/nowhere\/core\.creds/);
  });

  it('waits for a bus that is still starting', async () => {
    const [, port] = /:(\d+)$/.exec(engines.environment.NATS_URL ?? '') ?? [];
    const door = createServer((client) => void client.pipe(dial(Number(port), '127.0.0.1')).pipe(client));
    const latePort = await freePort();
    const connecting = connectBus(options(`nats://127.0.0.1:${latePort}`));
    let connected = false;
    void connecting.then(() => (connected = true));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(connected).toBe(false);
    door.listen(latePort, '127.0.0.1');
    const bus = await connecting;
    await eventually(() => expect(bus.connection.isClosed()).toBe(false));
    await bus.drain();
    door.close();
  });
});

async function freePort(): Promise<number> {
  const probe: Server = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}
