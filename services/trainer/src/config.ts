import { BusConfig, StoreConfig, jsonVariable, required } from '@edgeloop/runtime';
import { z } from 'zod';

const count = z.coerce.number().int().nonnegative();
const score = z.coerce.number().min(0).max(1);
const milliseconds = z.coerce.number().int().positive();
const parameter = z.union([z.string(), z.number(), z.boolean()]);

/** Environment of the trainer. */
export const TrainerConfig = z.object({
  ...BusConfig.shape,
  ...StoreConfig.shape,
  /** Folder with `valohai.yaml` and the code of its steps. */
  TRAINER_PROJECT: required('the folder that holds valohai.yaml and the code of its steps'),
  EDGELOOP_DATA_DIR: required('the folder where runs work'),
  /** Written by set-up: `{python, env}`, the interpreter that can import torch. */
  EDGELOOP_PYTHON_FILE: z.string().optional(),
  TRAINER_MODEL_NAME: z.string().default('hardhat'),
  TRAINER_PIPELINE_RETRAIN: z.string().default('retrain'),
  TRAINER_PIPELINE_FIRST_MODEL: z.string().default('first-model'),
  TRAINER_PIPELINE_IMPORT: z.string().default('import-model'),
  /** Weights that a first model starts from. */
  TRAINER_BASE_MODEL: z.string().optional(),
  /** `{"train": {"epochs": 8}}`: overrides the defaults of the steps. */
  TRAINER_PARAMETERS: jsonVariable(z.record(z.string(), z.record(z.string(), parameter))),
  TRAINER_NEW_LABELS: count.default(100),
  TRAINER_NEW_LABELS_OF_CLASS: count.default(0),
  TRAINER_RUN_TIMEOUT_MS: milliseconds.default(4 * 3_600_000),
  TRAINER_STEP_TIMEOUT_MS: milliseconds.default(2 * 3_600_000),
  TRAINER_GATE_GAIN_MIN: score.default(0.02),
  TRAINER_GATE_SLICE_FALL_MAX: score.default(0.06),
  TRAINER_GATE_SLICE_FRAMES_MIN: count.default(8),
  TRAINER_GATE_CLASS_BOXES_MIN: count.default(20),
  TRAINER_GATE_FIRST_MODEL_MIN: score.default(0.1),
});
export type TrainerConfig = z.output<typeof TrainerConfig>;
