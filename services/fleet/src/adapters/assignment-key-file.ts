import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { loadOrMakeKey, signDesired } from '@edgeloop/trust';
import type { AssignmentKey } from '../ports.ts';

/** The key in the file, made at the first start (mode 0600 in a folder of mode 0700). All replicas must be given the same file. */
export async function openAssignmentKey(path: string): Promise<AssignmentKey> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const signer = await loadOrMakeKey(path);
  return { keyId: signer.keyId, publicKey: signer.publicKey, sign: (text) => signDesired(text, signer) };
}
