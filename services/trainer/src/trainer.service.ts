import { AskCancelRun, AskRuns, AskStartRun, DatasetSnapshotted, ReleasePublished, RolloutEnded } from '@edgeloop/contracts';
import { service } from '@edgeloop/nest-bus';
import { TrainerConfig } from './config.ts';
import { trainerModule } from './trainer.module.ts';

export const trainerService = service({
  name: 'trainer',
  config: TrainerConfig,
  consumes: [DatasetSnapshotted, ReleasePublished, RolloutEnded, AskStartRun, AskCancelRun, AskRuns],
  module: trainerModule,
});
