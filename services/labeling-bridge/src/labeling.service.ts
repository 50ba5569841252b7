import { AskDatasets, AskImportDataset, AskSnapshot, CampaignClosed, CampaignStarted, SampleAccepted } from '@edgeloop/contracts';
import { service } from '@edgeloop/nest-bus';
import { LabelingConfig } from './config.ts';
import { labelingModule } from './labeling.module.ts';

export const labelingService = service({
  name: 'labeling-bridge',
  config: LabelingConfig,
  consumes: [SampleAccepted, CampaignStarted, CampaignClosed, AskDatasets, AskImportDataset, AskSnapshot],
  module: labelingModule,
});
