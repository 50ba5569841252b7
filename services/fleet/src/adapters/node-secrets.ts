import { createHash, randomBytes } from 'node:crypto';
import type { Secrets } from '../ports.ts';

const SECRET_BYTES = 32;
const ID_BYTES = 8;

export const nodeSecrets: Secrets = {
  next: () => randomBytes(SECRET_BYTES).toString('base64url'),
  id: () => randomBytes(ID_BYTES).toString('hex'),
  hash: (secret) => createHash('sha256').update(secret, 'utf8').digest('hex'),
};
