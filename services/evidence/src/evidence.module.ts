import type { ServiceDeps } from '@edgeloop/nest-bus';
import type { DynamicModule } from '@nestjs/common';
import { FieldDocument } from './app/field-document.ts';
import { FieldStatistics } from './app/field-statistics.ts';
import { driftLimits, type EvidenceConfig } from './config.ts';
import { EvidenceController } from './evidence.controller.ts';

class EvidenceModule {}

export async function evidenceModule({ config, documents, onStart, onStop }: ServiceDeps<EvidenceConfig>): Promise<DynamicModule> {
  const statistics = new FieldStatistics(await documents('field-statistics', FieldDocument), driftLimits(config));
  onStart(async () => {
    const following = await statistics.follow();
    onStop(() => following.drain());
  });
  return {
    module: EvidenceModule,
    controllers: [EvidenceController],
    providers: [{ provide: FieldStatistics, useFactory: () => statistics }],
  };
}
