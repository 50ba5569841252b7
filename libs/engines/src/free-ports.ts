import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

/**
 * Below the range from which systems take ports for outgoing connections: while an engine is down for a restart, nobody's
 * outgoing connection can sit on its port, and a reconnecting client cannot connect to itself.
 */
const PORT_MIN = 20_000;
const PORT_MAX = 32_000;
const TRIES_PER_PORT_MAX = 50;

/** Ports that are free on 127.0.0.1 at this moment, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  try {
    for (let index = 0; index < count; index += 1) servers.push(await listenSomewhere());
    return servers.map((server) => (server.address() as { port: number }).port);
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

async function listenSomewhere(): Promise<Server> {
  for (let attempt = 0; attempt < TRIES_PER_PORT_MAX; attempt += 1) {
    const server = await tryListen(randomInt(PORT_MIN, PORT_MAX));
    if (server) return server;
  }
  throw new Error(`no free port between ${PORT_MIN} and ${PORT_MAX} on 127.0.0.1 in ${TRIES_PER_PORT_MAX} tries`);
}

function tryListen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server));
  });
}
