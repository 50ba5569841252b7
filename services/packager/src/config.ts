import { BusConfig, StoreConfig, required } from '@edgeloop/runtime';
import { z } from 'zod';
import { TRIAL_LIMITS } from './adapters/model-trial.ts';

/** Environment of the packager. */
export const PackagerConfig = z.object({
  ...BusConfig.shape,
  ...StoreConfig.shape,
  EDGELOOP_DATA_DIR: required('the folder for files of packages under way'),
  /** Wall-clock limit of one try of a model. */
  PACKAGER_TRIAL_TIMEOUT_MS: z.coerce.number().int().positive().default(TRIAL_LIMITS.timeMs),
  /** Resident memory limit of the process that tries a model. */
  PACKAGER_TRIAL_MEMORY_BYTES: z.coerce.number().int().positive().default(TRIAL_LIMITS.memoryBytes),
});
export type PackagerConfig = z.output<typeof PackagerConfig>;
