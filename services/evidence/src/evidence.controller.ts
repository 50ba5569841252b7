import type { MessageContext } from '@edgeloop/bus';
import { AskField, NodeTelemetry, type PayloadOf, type ReplyOf } from '@edgeloop/contracts';
import { OnEvent, OnRequest } from '@edgeloop/nest-bus';
import { Controller, Inject } from '@nestjs/common';
import { FieldStatistics } from './app/field-statistics.ts';

@Controller()
export class EvidenceController {
  constructor(@Inject(FieldStatistics) private readonly statistics: FieldStatistics) {}

  @OnEvent(NodeTelemetry, { concurrency: 64 })
  telemetry(batch: PayloadOf<typeof NodeTelemetry>, context: MessageContext): Promise<void> {
    return this.statistics.take(batch, context);
  }

  @OnRequest(AskField)
  field(): ReplyOf<typeof AskField> {
    return { nodes: this.statistics.nodes(), releases: this.statistics.releases() };
  }
}
