import { randomBytes } from 'node:crypto';
import type { IdSource } from '../ports.ts';

const ID_BYTES = 4;

export const randomIds: IdSource = { next: () => randomBytes(ID_BYTES).toString('hex') };
