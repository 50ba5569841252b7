import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { BusConfig, type InvalidConfigError, StoreConfig, readConfig, required } from './config.ts';

function problemsOf(schema: z.ZodObject, environment: NodeJS.ProcessEnv): readonly string[] {
  try {
    readConfig('a program', schema, environment);
    return [];
  } catch (cause) {
    return (cause as InvalidConfigError).problems;
  }
}

describe('configuration', () => {
  it('says of every missing variable what it is', () => {
    expect(problemsOf(z.object({ FOLDER: required('the folder of the keys'), ...BusConfig.shape }), {})).toEqual([
      'FOLDER: set the folder of the keys',
      'NATS_URL: set the address of the bus, for example nats://127.0.0.1:4222',
    ]);
    for (const problem of problemsOf(StoreConfig, {})) expect(problem).toMatch(/^S3_[A-Z_]+: set the /);
  });

  it('takes an empty variable for a missing one', () => {
    expect(problemsOf(z.object({ FOLDER: required('the folder of the keys') }), { FOLDER: '' })).toEqual([
      'FOLDER: set the folder of the keys',
    ]);
  });

  it('says all problems in one line', () => {
    expect(() => readConfig('packager', BusConfig, {})).toThrow(/^cannot start: NATS_URL: set the address of the bus, .*$/);
    expect(() => readConfig('packager', BusConfig, { LOG_LEVEL: 'shout' })).toThrow(/^cannot start: NATS_URL: set .+; LOG_LEVEL: .+$/);
  });

  it('names the program and leaves alone what it does not read', () => {
    expect(() => readConfig('packager', BusConfig, {})).toThrow(expect.objectContaining({ program: 'packager' }));
    expect(readConfig('packager', BusConfig, { NATS_URL: 'nats://here', OTHER: 'x' })).toEqual({
      NATS_URL: 'nats://here',
      LOG_LEVEL: 'info',
    });
  });
});
