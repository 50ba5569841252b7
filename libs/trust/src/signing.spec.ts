import { describe, expect, it } from '@jest/globals';
import { newSigner } from './keys.ts';
import { AssignmentSignatureError, signDesired, verifyDesired } from './signing.ts';

const signer = newSigner();
const trusted = [{ keyId: signer.keyId, publicKey: signer.publicKey }];

describe('signed desired state', () => {
  it('is believed to the letter when a trusted key signed it', () => {
    const text = '{"generation": 1,  "name": "Käfer 🐞"}';
    expect(verifyDesired(signDesired(text, signer), trusted)).toBe(text);
  });

  it('is refused when one letter differs, or the signature is none', () => {
    const signed = signDesired('{"generation":1}', signer);
    expect(() => verifyDesired({ ...signed, signed: '{"generation":2}' }, trusted)).toThrow(AssignmentSignatureError);
    expect(() => verifyDesired({ ...signed, signature: '' }, trusted)).toThrow(/does not fit/);
    expect(() => verifyDesired({ ...signed, signature: signed.signature.slice(4) }, trusted)).toThrow(/does not fit/);
  });

  it('is refused by another key, also under the name of a trusted one', () => {
    const other = newSigner();
    const forged = signDesired('{"generation":1}', other);
    expect(() => verifyDesired(forged, trusted)).toThrow(/not told to trust/);
    expect(() => verifyDesired({ ...forged, keyId: signer.keyId }, trusted)).toThrow(/does not fit/);
    expect(() => verifyDesired(forged, [{ keyId: other.keyId, publicKey: 'no key' }])).toThrow(/not told to trust/);
  });
});
