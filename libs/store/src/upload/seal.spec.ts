import { describe, expect, it } from '@jest/globals';
import { createSealingKeys, openSealed, sealFor, UnsealableError } from './seal.ts';

describe('sealed answers', () => {
  const node = createSealingKeys();
  const service = createSealingKeys();
  const message = Buffer.from('{"secretAccessKey":"s"}');

  it('open for the node they were made for, and nobody else', () => {
    const sealed = sealFor(node.publicKey, message, service);
    expect(Buffer.from(openSealed(sealed, node)).toString()).toBe(message.toString());
    expect(sealed.sealed).not.toContain(message.toString('base64').slice(0, 20));
    expect(() => openSealed(sealed, createSealingKeys())).toThrow(UnsealableError);
  });

  it('do not open when a bit changed or somebody else claims to have sealed them', () => {
    const sealed = sealFor(node.publicKey, message, service);
    const bytes = Buffer.from(sealed.sealed, 'base64');
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    expect(() => openSealed({ ...sealed, sealed: bytes.toString('base64') }, node)).toThrow(UnsealableError);
    expect(() => openSealed({ ...sealed, sealedBy: createSealingKeys().publicKey }, node)).toThrow(UnsealableError);
    expect(() => openSealed({ ...sealed, sealedBy: 'Xnonsense' }, node)).toThrow(UnsealableError);
  });

  it('cannot be made for something that is no key', () => {
    expect(() => sealFor('X-not-a-key', message, service)).toThrow(UnsealableError);
  });
});
