import type { MessageContext } from '@edgeloop/bus';
import {
  AskRolloutCommand,
  AskRollouts,
  AskStartRollout,
  NodeHeartbeat,
  NodeReport,
  NodeTelemetry,
  ReleasePublished,
} from '@edgeloop/contracts';
import type { PayloadOf, ReplyOf } from '@edgeloop/contracts';
import { OnEvent, OnRequest, OnSignal } from '@edgeloop/nest-bus';
import { Controller, Inject } from '@nestjs/common';
import type { Origin } from './domain/rollout.ts';
import { ROLLOUT_APP } from './rollout-app.ts';
import type { RolloutApp } from './rollout-app.ts';

function originOf({ id, correlationId, traceparent }: MessageContext): Origin {
  return { id, correlationId, traceparent };
}

@Controller()
export class RolloutController {
  constructor(@Inject(ROLLOUT_APP) private readonly app: RolloutApp) {}

  @OnEvent(ReleasePublished)
  published(release: ReleasePublished, context: MessageContext): Promise<void> {
    return this.app.orders.published(release, originOf(context));
  }

  @OnEvent(NodeReport)
  reported(report: PayloadOf<typeof NodeReport>): Promise<void> {
    return this.app.reports.reported(report);
  }

  @OnEvent(NodeTelemetry)
  watched({ nodeId, windows }: PayloadOf<typeof NodeTelemetry>): void {
    this.app.field.watched(nodeId, windows);
  }

  @OnSignal(NodeHeartbeat)
  heard(beat: PayloadOf<typeof NodeHeartbeat>): void {
    this.app.field.heard(beat, this.app.clock.now());
  }

  @OnRequest(AskRollouts)
  list({ limit }: PayloadOf<typeof AskRollouts>): Promise<ReplyOf<typeof AskRollouts>> {
    return this.app.commands.list(limit);
  }

  @OnRequest(AskStartRollout)
  start(order: PayloadOf<typeof AskStartRollout>, context: MessageContext): Promise<ReplyOf<typeof AskStartRollout>> {
    return this.app.orders.byHand(order, originOf(context));
  }

  @OnRequest(AskRolloutCommand)
  command({ rolloutId, command, by }: PayloadOf<typeof AskRolloutCommand>): Promise<ReplyOf<typeof AskRolloutCommand>> {
    return this.app.commands.command(rolloutId, command, by);
  }
}
