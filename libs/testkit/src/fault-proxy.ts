import { connect, createServer, type Server, type Socket } from 'node:net';

/** What the network does at the moment. `half-open`: connections stay up and nothing passes. */
export type ProxyMode = 'passing' | 'cut' | 'half-open';

/** What the proxy did; a fault test that leaves its counts at zero tested nothing. */
export interface ProxyCounts {
  readonly connections: number;
  /** Connections that were broken while they were up. */
  readonly broken: number;
  /** Connections that were refused while the line was cut. */
  readonly refused: number;
  /** Pieces that were held back. */
  readonly delayed: number;
  readonly bytesPassed: number;
  /** Bytes that vanished while connections were half open. */
  readonly bytesSwallowed: number;
}

interface Line {
  readonly client: Socket;
  readonly upstream: Socket;
}

/** A TCP proxy on a free loopback port that fails on demand. */
export class FaultProxy {
  readonly #server: Server;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #lines = new Set<Line>();
  readonly #counts = { connections: 0, broken: 0, refused: 0, delayed: 0, bytesPassed: 0, bytesSwallowed: 0 };
  #mode: ProxyMode = 'passing';
  #delayMs = 0;

  private constructor(server: Server, target: { host: string; port: number }) {
    this.#server = server;
    this.#target = target;
    server.on('connection', (client) => this.#accept(client));
  }

  /** Proxy for an address such as `nats://127.0.0.1:4222` or `http://127.0.0.1:8333`. */
  static async before(targetUrl: string): Promise<FaultProxy> {
    const { hostname, port } = new URL(targetUrl);
    const server = createServer();
    const proxy = new FaultProxy(server, { host: hostname, port: Number(port) });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get mode(): ProxyMode {
    return this.#mode;
  }

  counts(): ProxyCounts {
    return { ...this.#counts };
  }

  /** The target's address with the proxy's host and port. */
  url(targetUrl: string): string {
    const url = new URL(targetUrl);
    url.host = `127.0.0.1:${this.port}`;
    return url.toString().replace(/\/$/, '');
  }

  /** Breaks every connection and refuses new ones until `restore`. */
  cut(): void {
    this.#mode = 'cut';
    this.#breakAll();
  }

  /** Connections stay up and nothing passes any more, in either direction, until `restore`. */
  halfOpen(): void {
    this.#mode = 'half-open';
  }

  /** Holds every piece back for so long; 0 passes at once again. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** New connections pass again. Half-open ones are broken: bytes are missing in them. */
  restore(): void {
    if (this.#mode === 'half-open') this.#breakAll();
    this.#mode = 'passing';
    this.#delayMs = 0;
  }

  async stop(): Promise<void> {
    for (const line of this.#lines) destroy(line);
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #breakAll(): void {
    this.#counts.broken += this.#lines.size;
    for (const line of this.#lines) destroy(line);
  }

  #accept(client: Socket): void {
    client.on('error', () => undefined);
    if (this.#mode === 'cut') {
      this.#counts.refused += 1;
      client.resetAndDestroy();
      return;
    }
    this.#counts.connections += 1;
    const line = { client, upstream: connect(this.#target) };
    this.#lines.add(line);
    this.#pump(client, line.upstream);
    this.#pump(line.upstream, client);
    for (const socket of [client, line.upstream]) {
      socket.setNoDelay(true);
      socket.on('error', () => destroy(line));
      socket.on('close', () => {
        this.#lines.delete(line);
        destroy(line);
      });
    }
  }

  /** Pieces keep their order, whatever each one's delay was. */
  #pump(from: Socket, to: Socket): void {
    let last: Promise<void> = Promise.resolve();
    const inOrder = (action: () => void): void => {
      const delayMs = this.#delayMs;
      if (delayMs > 0) this.#counts.delayed += 1;
      const due = delayMs > 0 ? new Promise((resolve) => setTimeout(resolve, delayMs)) : undefined;
      last = last.then(() => due).then(action);
    };
    from.on('data', (piece) => {
      if (this.#mode === 'half-open') {
        this.#counts.bytesSwallowed += piece.length;
        return;
      }
      from.pause();
      inOrder(() => this.#pass(piece, from, to));
    });
    from.on('end', () => inOrder(() => to.end()));
  }

  #pass(piece: Buffer, from: Socket, to: Socket): void {
    if (to.destroyed) return;
    this.#counts.bytesPassed += piece.length;
    to.write(piece, () => from.resume());
  }
}

function destroy({ client, upstream }: Line): void {
  client.resetAndDestroy();
  upstream.destroy();
}
