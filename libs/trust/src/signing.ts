import { createPublicKey, verify } from 'node:crypto';
import type { Signer } from './keys.ts';

/** A JSON text and an Ed25519 signature over its exact UTF-8 bytes: nothing is parsed before it is believed. */
export interface SignedText {
  readonly signed: string;
  readonly keyId: string;
  /** Base64. */
  readonly signature: string;
}

/** What a reader trusts: 32 bytes, hex, as `Signer.publicKey`. */
export interface VerifyingKey {
  readonly keyId: string;
  readonly publicKey: string;
}

export type AssignmentRefusal = 'unknown-key' | 'bad-signature';

/** Desired state that nobody trusted has signed. Whatever runs keeps running. */
export class AssignmentSignatureError extends Error {
  override readonly name = 'AssignmentSignatureError';
  readonly retryable = false;
  readonly refusal: AssignmentRefusal;
  readonly keyId: string;
  constructor(refusal: AssignmentRefusal, keyId: string) {
    super(
      refusal === 'unknown-key'
        ? `the desired state is signed by key ${keyId.slice(0, 16)}, which this node was not told to trust: enroll it again if the keys were changed on purpose`
        : `the signature of the desired state does not fit its text (key ${keyId.slice(0, 16)})`,
    );
    this.refusal = refusal;
    this.keyId = keyId;
  }
}

/** DER header of an Ed25519 public key; the 32 bytes of the key follow. */
const SPKI_HEADER = Buffer.from('302a300506032b6570032100', 'hex');
const PUBLIC_KEY = /^[0-9a-f]{64}$/;

/** Signs the exact text of a `Desired`. */
export function signDesired(text: string, signer: Signer): SignedText {
  return { signed: text, keyId: signer.keyId, signature: signer.sign(Buffer.from(text, 'utf8')).toString('base64') };
}

/** The text, once its signature by a trusted key held. @throws AssignmentSignatureError */
export function verifyDesired(document: SignedText, trusted: readonly VerifyingKey[]): string {
  const key = trusted.find(({ keyId }) => keyId === document.keyId);
  if (key === undefined || !PUBLIC_KEY.test(key.publicKey)) throw new AssignmentSignatureError('unknown-key', document.keyId);
  const publicKey = createPublicKey({
    key: Buffer.concat([SPKI_HEADER, Buffer.from(key.publicKey, 'hex')]),
    format: 'der',
    type: 'spki',
  });
  const holds = verify(null, Buffer.from(document.signed, 'utf8'), publicKey, Buffer.from(document.signature, 'base64'));
  if (!holds) throw new AssignmentSignatureError('bad-signature', document.keyId);
  return document.signed;
}
