import { createHash } from 'node:crypto';
import { newSigner, type RepositoryKeys, type Signer } from '../keys.ts';
import type { MetadataRole } from '../tuf-errors.ts';
import type { MetadataSource } from '../tuf-links-fetcher.ts';
import { metadataPath, planFirst, planTargets, renderChange, type RepositoryChange, type RepositoryHead } from '../tuf-repository.ts';

export interface SignedBody {
  _type: string;
  version: number;
  expires: string;
  [field: string]: unknown;
}

export function freshKeys(): RepositoryKeys {
  return { root: newSigner(), targets: newSigner(), snapshot: newSigner(), timestamp: newSigner() };
}

/** A repository in memory, made by the real writer, whose files a test may forge one by one. */
export class RepositorySimulator implements MetadataSource {
  readonly files = new Map<string, Buffer>();
  readonly asked: string[] = [];
  keys: RepositoryKeys;
  head: RepositoryHead;

  constructor(
    readonly now: number,
    keys: RepositoryKeys = freshKeys(),
  ) {
    this.keys = keys;
    this.head = this.apply(planFirst(now));
  }

  get rootText(): string {
    return this.#file(metadataPath('root', 1)).toString('utf8');
  }

  apply(change: RepositoryChange): RepositoryHead {
    const head = this.files.size === 0 ? undefined : this.head;
    const rendered = renderChange(this.keys, head, change, head && this.#file(metadataPath('targets', head.targets.version)));
    for (const file of rendered.files) this.files.set(file.path, file.bytes);
    this.head = rendered.head;
    return this.head;
  }

  publish(path: string, bytes: Buffer, now = this.now): void {
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    this.apply(planTargets(this.head, [{ path, bytes: bytes.byteLength, digest }], now));
  }

  copyFiles(): Map<string, Buffer> {
    return new Map(this.files);
  }

  /** Rewrites one file and signs it with these keys, good or not. */
  forge(path: string, signers: readonly Signer[], edit: (body: SignedBody) => void = () => undefined): void {
    const { signed } = JSON.parse(this.#file(path).toString('utf8')) as { signed: SignedBody };
    edit(signed);
    this.files.set(path, signBody(signed, signers));
  }

  /** Forges a role and makes all roles above it vouch for the forgery with their true keys. */
  forgeVouched(role: 'targets' | 'snapshot', signers: readonly Signer[], edit: (body: SignedBody) => void): void {
    const path = metadataPath(role, this.head[role].version);
    this.forge(path, signers, edit);
    if (role === 'targets') {
      const vouched = path;
      const snapshot = metadataPath('snapshot', this.head.snapshot.version);
      this.forge(snapshot, [this.keys.snapshot], (body) => this.#vouch(body, 'targets.json', vouched));
    }
    const snapshot = metadataPath('snapshot', this.head.snapshot.version);
    const timestamp = { ...this.head.timestamp, version: this.head.timestamp.version + 1 };
    this.forge(metadataPath('timestamp', 0), [this.keys.timestamp], (body) => {
      Object.assign(body, timestamp);
      this.#vouch(body, 'snapshot.json', snapshot);
    });
    this.head = { ...this.head, timestamp };
  }

  /** Root version + 1, signed by the old and the new root key. */
  rotate(role: MetadataRole): void {
    const fresh = newSigner();
    const old = this.keys;
    this.keys = { ...old, [role]: fresh };
    const next = this.head.root.version + 1;
    const { files, head } = renderChange(
      this.keys,
      this.head,
      { root: { ...this.head.root, version: next }, timestamp: this.head.timestamp },
      undefined,
    );
    const root = files.find((file) => file.path === metadataPath('root', next));
    const { signed } = JSON.parse((root as { bytes: Buffer }).bytes.toString('utf8')) as { signed: SignedBody };
    this.files.set(metadataPath('root', next), signBody(signed, [...new Set([old.root, this.keys.root])]));
    this.head = { ...this.head, root: head.root };
  }

  read(path: string): Promise<Buffer | undefined> {
    this.asked.push(path);
    return Promise.resolve(this.files.get(path));
  }

  #vouch(body: SignedBody, name: string, path: string): void {
    const bytes = this.#file(path);
    const meta = (body['meta'] as Record<string, { length: number; hashes: { sha256: string } }>)[name];
    if (meta === undefined) throw new Error(`${name} is not in the metadata that should vouch for it`);
    meta.length = bytes.byteLength;
    meta.hashes.sha256 = createHash('sha256').update(bytes).digest('hex');
  }

  #file(path: string): Buffer {
    const bytes = this.files.get(path);
    if (bytes === undefined) throw new Error(`the simulator has no ${path}`);
    return bytes;
  }
}

export function signBody(signed: SignedBody, signers: readonly Signer[]): Buffer {
  const bytes = Buffer.from(canonical(signed));
  return Buffer.from(
    JSON.stringify({ signatures: signers.map((signer) => ({ keyid: signer.keyId, sig: signer.sign(bytes).toString('hex') })), signed }),
  );
}

/** Canonical JSON as TUF defines it. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
    return `{${fields.map(([name, field]) => `${canonical(name)}:${canonical(field)}`).join(',')}}`;
  }
  if (typeof value === 'string') return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  return JSON.stringify(value);
}
