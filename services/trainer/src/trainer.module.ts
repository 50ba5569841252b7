import { join } from 'node:path';
import { storeFromConfig } from '@edgeloop/store';
import type { ServiceDeps } from '@edgeloop/nest-bus';
import { systemClock } from '@edgeloop/runtime';
import type { DynamicModule } from '@nestjs/common';
import { storeBaseModel } from './adapters/base-model.ts';
import { LocalExecutor } from './adapters/local-executor.ts';
import { stepEnvironment } from './adapters/step-environment.ts';
import { StoredDatasets, StoredOutputs } from './adapters/stored-outputs.ts';
import { readValohaiYaml } from './adapters/valohai-file.ts';
import { RunDriver } from './app/run-driver.ts';
import { RunWorker } from './app/run-worker.ts';
import { StoredModelLine, StoredRun } from './app/schemas.ts';
import { Trainer } from './app/trainer.ts';
import type { TrainerConfig } from './config.ts';
import { TrainerController } from './trainer.controller.ts';

function settingsOf(config: TrainerConfig) {
  return {
    modelName: config.TRAINER_MODEL_NAME,
    rule: { newLabels: config.TRAINER_NEW_LABELS, newLabelsOfClass: config.TRAINER_NEW_LABELS_OF_CLASS },
    pipelines: {
      retrain: config.TRAINER_PIPELINE_RETRAIN,
      firstModel: config.TRAINER_PIPELINE_FIRST_MODEL,
      import: config.TRAINER_PIPELINE_IMPORT,
    },
    runTimeoutMs: config.TRAINER_RUN_TIMEOUT_MS,
  };
}

function gateOf(config: TrainerConfig) {
  return {
    gainMin: config.TRAINER_GATE_GAIN_MIN,
    sliceFallMax: config.TRAINER_GATE_SLICE_FALL_MAX,
    sliceFramesMin: config.TRAINER_GATE_SLICE_FRAMES_MIN,
    classBoxesMin: config.TRAINER_GATE_CLASS_BOXES_MIN,
    firstModelMin: config.TRAINER_GATE_FIRST_MODEL_MIN,
  };
}

class TrainerModule {}

export async function trainerModule(deps: ServiceDeps<TrainerConfig>): Promise<DynamicModule> {
  const { bus, log, config } = deps;
  const root = join(config.EDGELOOP_DATA_DIR, 'trainer');
  const store = storeFromConfig(config);
  const runs = await deps.documents('runs', StoredRun);
  const lines = await deps.documents('trainer', StoredModelLine);
  const environment = await stepEnvironment({ pythonFile: config.EDGELOOP_PYTHON_FILE, folder: root, own: process.env });
  const executor = new LocalExecutor({ root: join(root, 'runs'), project: config.TRAINER_PROJECT, environment, store, log });
  const loadProject = () => readValohaiYaml(join(config.TRAINER_PROJECT, 'valohai.yaml'));
  const driver = new RunDriver(
    {
      bus,
      runs,
      executor,
      outputs: new StoredOutputs(store),
      datasets: new StoredDatasets(store),
      loadProject,
      firstBase: () => storeBaseModel(store, config.TRAINER_BASE_MODEL),
      clock: systemClock,
      log,
    },
    { gate: gateOf(config), parameters: config.TRAINER_PARAMETERS, stepTimeoutMs: config.TRAINER_STEP_TIMEOUT_MS },
  );
  const worker = new RunWorker({ runs, driver, clock: systemClock, log });
  deps.onStart(async () => {
    await loadProject();
    await worker.start();
  });
  deps.onStop(() => worker.stop());
  const trainer = new Trainer({ runs, lines }, settingsOf(config), systemClock, log);
  return {
    module: TrainerModule,
    controllers: [TrainerController],
    providers: [{ provide: Trainer, useFactory: () => trainer }],
  };
}
