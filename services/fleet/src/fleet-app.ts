import type { AssignNodes } from './app/assign-nodes.ts';
import type { EnrollNode } from './app/enroll-node.ts';
import type { FollowLoop } from './app/follow-loop.ts';
import type { InviteNode } from './app/invite-node.ts';
import type { RollCall } from './app/roll-call.ts';
import type { SyncNode } from './app/sync-node.ts';
import type { TakeReport } from './app/take-report.ts';

/** Injection token of the service's use-cases. */
export const FLEET_APP = Symbol('FLEET_APP');

export interface FleetApp {
  readonly assignments: AssignNodes;
  readonly enrollments: EnrollNode;
  readonly loop: FollowLoop;
  readonly invites: InviteNode;
  readonly rollCall: RollCall;
  readonly syncs: SyncNode;
  readonly reports: TakeReport;
}
