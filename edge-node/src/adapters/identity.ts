import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { NodeId, TrustAnchors } from '@edgeloop/contracts';
import { createSealingKeys } from '@edgeloop/store/uploader';
import type { SealingKeys } from '@edgeloop/store/uploader';
import { createUser, fromSeed } from '@nats-io/nkeys';
import { z } from 'zod';
import { errorCode, replaceFile } from './durable-files.ts';

/** Who this node is, as the fleet service confirmed it. Seeds lie in files of their own. */
export const Identity = z.object({
  nodeId: NodeId,
  url: z.string().min(1),
  publicKey: z.string(),
  userJwt: z.string().min(1),
  trust: TrustAnchors,
});
export type Identity = z.output<typeof Identity>;

export interface NodeKeys {
  /** User nkey, `U…`. */
  readonly publicKey: string;
  readonly seed: string;
  /** For answers that carry secrets. */
  readonly sealing: SealingKeys;
}

const OTHERS = 0o077;

/** A key file that others may read is no secret any more. */
export class NodeKeyExposedError extends Error {
  override readonly name = 'NodeKeyExposedError';
  readonly retryable = false;
  constructor(path: string) {
    super(
      `${path} can be read by others on this machine: remove the node from the fleet, delete its folder and enroll it again with a new join token`,
    );
  }
}

export class IdentityDamagedError extends Error {
  override readonly name = 'IdentityDamagedError';
  readonly retryable = false;
  constructor(path: string, cause: unknown) {
    super(`${path} cannot be read: put it back, or delete the folder and enroll this node again with a new join token`, { cause });
  }
}

/** `identity/` of a node folder: keys made here and never sent, and what the fleet service answered. */
export class IdentityFiles {
  readonly #folder: string;

  constructor(nodeFolder: string) {
    this.#folder = join(nodeFolder, 'identity');
  }

  /** Made at the first call, on the disk before anybody hears of them: a retry after a crash asks with the same key. */
  async keys(): Promise<NodeKeys> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const seed = await this.#secret('node.nk', () => new TextDecoder().decode(createUser().getSeed()));
    const sealing = await this.#secret('sealing.json', () => JSON.stringify(createSealingKeys()));
    const publicKey = fromSeed(new TextEncoder().encode(seed)).getPublicKey();
    return { publicKey, seed, sealing: JSON.parse(sealing) as SealingKeys };
  }

  async load(): Promise<Identity | undefined> {
    const path = join(this.#folder, 'node.json');
    const text = await read(path);
    if (text === undefined) return undefined;
    try {
      return Identity.parse(JSON.parse(text));
    } catch (cause) {
      throw new IdentityDamagedError(path, cause);
    }
  }

  async save(identity: Identity): Promise<void> {
    await replaceFile(join(this.#folder, 'node.json'), JSON.stringify(identity));
  }

  async #secret(name: string, make: () => string): Promise<string> {
    const path = join(this.#folder, name);
    const found = await read(path);
    if (found === undefined) {
      await replaceFile(path, make());
      return this.#secret(name, make);
    }
    if (((await stat(path)).mode & OTHERS) !== 0) throw new NodeKeyExposedError(path);
    return found;
  }
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return undefined;
    throw cause;
  }
}
