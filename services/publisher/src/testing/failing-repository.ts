import type { ArtifactInfo, ArtifactRepository, ArtifactWrite } from '../ports.ts';

export class PowerCutError extends Error {
  override readonly name = 'PowerCutError';
  readonly retryable = true;
}

/** Dies at the n-th write, before or after the bytes are there, and stays dead. */
export class FailingRepository implements ArtifactRepository {
  readonly #inner: ArtifactRepository;
  readonly #failAt: number;
  readonly #moment: 'before' | 'after';
  writes = 0;

  constructor(inner: ArtifactRepository, failAt: number, moment: 'before' | 'after') {
    this.#inner = inner;
    this.#failAt = failAt;
    this.#moment = moment;
  }

  async put(path: string, bytes: Uint8Array, write: ArtifactWrite): Promise<Awaited<ReturnType<ArtifactRepository['put']>>> {
    this.writes += 1;
    if (this.writes > this.#failAt || (this.writes === this.#failAt && this.#moment === 'before')) throw new PowerCutError('cut');
    const result = await this.#inner.put(path, bytes, write);
    if (this.writes === this.#failAt) throw new PowerCutError('cut');
    return result;
  }

  async head(path: string): Promise<ArtifactInfo | undefined> {
    return await this.#inner.head(path);
  }

  async get(path: string, bytesMax: number): Promise<Uint8Array> {
    return await this.#inner.get(path, bytesMax);
  }

  list(prefix: string): AsyncIterable<ArtifactInfo> {
    return this.#inner.list(prefix);
  }
}
