import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { World } from './world.ts';

const SNAPSHOT = /^\/cameras\/(\d{1,4})\/snapshot\.jpg$/;

export interface CameraServer {
  /** What a node is given as its source. */
  snapshotUrl(camera: number): string;
  close(): Promise<void>;
}

async function answer(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const camera = SNAPSHOT.exec(request.url ?? '')?.[1];
  if (camera === undefined) {
    response.writeHead(404).end();
    return;
  }
  const jpeg = await world.look(Number(camera));
  response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': jpeg.byteLength, 'cache-control': 'no-store' }).end(jpeg);
}

/** The world's cameras, as the cheap ones on real sites work: an HTTP address that gives the present picture. */
export async function startCameras(world: World): Promise<CameraServer> {
  const server: Server = createServer((request, response) => {
    answer(world, request, response).catch((cause: unknown) => {
      process.emitWarning(`camera: ${String(cause)}`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    snapshotUrl: (camera) => `http://127.0.0.1:${port}/cameras/${camera}/snapshot.jpg`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
