import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { NewSample, SampleFacts } from '../../domain/spooled-sample.ts';
import { SampleSpool } from './sample-spool.ts';
import { openSpool } from './spool-database.ts';

export const idOf = (number: number): string => number.toString(16).padStart(64, '0');
export const OBJECT = { bucket: 'samples', key: 'n/c/x.jpg', digest: `sha256:${idOf(1)}`, bytes: 10 };

export function factsOf(number: number): SampleFacts {
  return {
    sampleId: idOf(number),
    campaignId: 'base',
    capturedAt: '2026-01-01T00:00:00.000Z',
    picture: { width: 4, height: 4, brightness: 0.5, sharpness: 0.1, dhash: number.toString(16).padStart(16, '0') },
    model: null,
    why: { policyId: 'p', policyVersion: 1, rule: 'any', inclusionProbability: 0.5 },
    predictions: [],
  };
}

export const sample = (number: number, value = 0.5, bytes = 10): NewSample => ({
  facts: factsOf(number),
  picture: new Uint8Array(bytes).fill(number),
  value,
  keptAtMs: 1_000 + number,
});

export interface SpoolOnDisk {
  readonly path: string;
  readonly database: DatabaseSync;
  readonly spool: SampleSpool;
}

export function spoolIn(folder: string, limits = { bytesMax: 1_000, itemsMax: 100 }): SpoolOnDisk {
  const path = join(folder, 'spool', 'spool.db');
  const { database } = openSpool(path, 0);
  return { path, database, spool: new SampleSpool(database, limits) };
}

/** Those that wait for their upload, the most valuable first. */
export const idsIn = (spool: SampleSpool): string[] => spool.atStage('kept', 1_000).map(({ facts }) => facts.sampleId);
