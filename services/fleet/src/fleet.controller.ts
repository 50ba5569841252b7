import type { MessageContext } from '@edgeloop/bus';
import {
  AskInvite,
  AskNodes,
  CampaignClosed,
  CampaignStarted,
  NodeEnroll,
  NodeHeartbeat,
  NodeReport,
  NodeSync,
  RolloutAssigned,
  RolloutEnded,
} from '@edgeloop/contracts';
import type { PayloadOf, ReplyOf } from '@edgeloop/contracts';
import { OnEvent, OnRequest, OnSignal } from '@edgeloop/nest-bus';
import { Controller, Inject } from '@nestjs/common';
import { FLEET_APP } from './fleet-app.ts';
import type { FleetApp } from './fleet-app.ts';

@Controller()
export class FleetController {
  constructor(@Inject(FLEET_APP) private readonly app: FleetApp) {}

  @OnEvent(RolloutAssigned)
  assigned(assigned: PayloadOf<typeof RolloutAssigned>, context: MessageContext): Promise<void> {
    return this.app.assignments.assigned(assigned, context);
  }

  @OnEvent(RolloutEnded)
  rolloutEnded(ended: PayloadOf<typeof RolloutEnded>, context: MessageContext): Promise<void> {
    return this.app.loop.rolloutEnded(ended, context);
  }

  @OnEvent(CampaignStarted)
  campaignStarted(started: PayloadOf<typeof CampaignStarted>, context: MessageContext): Promise<void> {
    return this.app.loop.campaignStarted(started, context);
  }

  @OnEvent(CampaignClosed)
  campaignClosed(closed: PayloadOf<typeof CampaignClosed>, context: MessageContext): Promise<void> {
    return this.app.loop.campaignClosed(closed, context);
  }

  @OnEvent(NodeReport)
  reported(report: PayloadOf<typeof NodeReport>, context: MessageContext): Promise<void> {
    return this.app.reports.reported(report, context);
  }

  @OnSignal(NodeHeartbeat)
  heard(beat: PayloadOf<typeof NodeHeartbeat>): void {
    this.app.rollCall.heard(beat);
  }

  @OnRequest(NodeEnroll)
  enroll(request: PayloadOf<typeof NodeEnroll>, context: MessageContext): Promise<ReplyOf<typeof NodeEnroll>> {
    return this.app.enrollments.enroll(request, context);
  }

  @OnRequest(NodeSync)
  sync({ nodeId }: PayloadOf<typeof NodeSync>): Promise<ReplyOf<typeof NodeSync>> {
    return this.app.syncs.sync(nodeId);
  }

  @OnRequest(AskInvite)
  invite(request: PayloadOf<typeof AskInvite>): Promise<ReplyOf<typeof AskInvite>> {
    return this.app.invites.invite(request);
  }

  @OnRequest(AskNodes)
  nodes({ nodeIds }: PayloadOf<typeof AskNodes>): ReplyOf<typeof AskNodes> {
    return { nodes: this.app.rollCall.views(nodeIds) };
  }
}
