import { createCurve, fromCurveSeed } from '@nats-io/nkeys';

/** An x25519 pair as nkeys text: the public half starts with `X`, the seed with `SX`. */
export interface SealingKeys {
  readonly publicKey: string;
  readonly seed: string;
}

export class UnsealableError extends Error {
  override readonly name = 'UnsealableError';
  readonly retryable = false;
  constructor(why: string, options?: ErrorOptions) {
    super(why, options);
  }
}

export function createSealingKeys(): SealingKeys {
  const pair = createCurve();
  return { publicKey: pair.getPublicKey(), seed: new TextDecoder().decode(pair.getSeed()) };
}

export interface Sealed {
  /** Base64. */
  readonly sealed: string;
  readonly sealedBy: string;
}

/** Only the holder of the seed of `recipient` can open it; it also proves who sealed it. @throws UnsealableError */
export function sealFor(recipient: string, bytes: Uint8Array, sender: SealingKeys): Sealed {
  try {
    const pair = fromCurveSeed(new TextEncoder().encode(sender.seed));
    return { sealed: Buffer.from(pair.seal(bytes, recipient)).toString('base64'), sealedBy: sender.publicKey };
  } catch (cause) {
    throw new UnsealableError('nothing can be sealed to this key: send a public x25519 nkey (X…)', { cause });
  }
}

/** @throws UnsealableError when it was sealed for somebody else, or changed on the way */
export function openSealed(message: Sealed, own: Pick<SealingKeys, 'seed'>): Uint8Array {
  const opened = tryOpen(message, own.seed);
  if (opened === null) throw new UnsealableError('the sealed message is not for this key, or was changed on its way');
  return opened;
}

function tryOpen(message: Sealed, seed: string): Uint8Array | null {
  const pair = fromCurveSeed(new TextEncoder().encode(seed));
  try {
    return pair.open(Buffer.from(message.sealed, 'base64'), message.sealedBy);
  } catch {
    return null;
  }
}
