import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NodeBell } from '@edgeloop/contracts';
import type { ServiceDeps } from '@edgeloop/nest-bus';
import { systemClock } from '@edgeloop/runtime';
import { storeFromConfig } from '@edgeloop/store';
import { parseNodesSigningKey } from '@edgeloop/trust';
import type { DynamicModule } from '@nestjs/common';
import { openAssignmentKey } from './adapters/assignment-key-file.ts';
import { BusStartedRollouts } from './adapters/bus-started-rollouts.ts';
import { jwtNodeRights } from './adapters/jwt-node-rights.ts';
import { nodeSecrets } from './adapters/node-secrets.ts';
import { S3ReleaseLinks, S3TrustRoot } from './adapters/s3-release-links.ts';
import { AssignNodes } from './app/assign-nodes.ts';
import { InviteDocument, NodeDocument, StandingDocument } from './app/documents.ts';
import { EnrollNode } from './app/enroll-node.ts';
import { FollowLoop } from './app/follow-loop.ts';
import { InviteNode } from './app/invite-node.ts';
import { Nodes } from './app/nodes.ts';
import { RollCall } from './app/roll-call.ts';
import { StandingOrders } from './app/standing-orders.ts';
import { SyncNode } from './app/sync-node.ts';
import { TakeReport } from './app/take-report.ts';
import type { FleetConfig } from './config.ts';
import { FLEET_APP } from './fleet-app.ts';
import type { FleetApp } from './fleet-app.ts';
import { FleetController } from './fleet.controller.ts';
import type { Bells } from './ports.ts';

type Deps = ServiceDeps<FleetConfig>;

/** What the service owns on disk and reads once. */
async function openFiles(config: FleetConfig) {
  const [creds, seed, assignmentKey] = await Promise.all([
    readFile(config.EDGELOOP_JOIN_CREDS, 'utf8'),
    readFile(config.EDGELOOP_NODES_SIGNING_SEED, 'utf8'),
    openAssignmentKey(join(config.EDGELOOP_DATA_DIR, 'fleet', 'assignment.key')),
  ]);
  return { creds, rights: jwtNodeRights(parseNodesSigningKey(seed)), assignmentKey };
}

async function openState(deps: Deps, bells: Bells) {
  const nodeDocuments = await deps.documents('nodes', NodeDocument);
  const standingDocuments = await deps.documents('fleet', StandingDocument);
  const invites = await deps.documents('invites', InviteDocument);
  const nodes = new Nodes(nodeDocuments, bells);
  return { nodeDocuments, invites, nodes, standing: new StandingOrders(standingDocuments, nodes, systemClock) };
}

async function wire(deps: Deps): Promise<FleetApp> {
  const { bus, log, config } = deps;
  const [clock, secrets, store] = [systemClock, nodeSecrets, storeFromConfig(config)];
  const bells: Bells = { ring: (nodeId) => bus.signal(NodeBell, { nodeId }) };
  const { creds, rights, assignmentKey } = await openFiles(config);
  const { nodeDocuments, invites, nodes, standing } = await openState(deps, bells);
  const rollCall = new RollCall(clock, log);
  deps.onStart(async () => {
    const changes = await nodeDocuments.watch((nodeId, document) => rollCall.changed(nodeId, document?.state));
    deps.onStop(() => changes.drain());
  });
  const url = config.EDGELOOP_JOIN_URL ?? config.NATS_URL;
  const trustRoot = new S3TrustRoot(store);
  return {
    assignments: new AssignNodes(nodes, bells, clock, log),
    enrollments: new EnrollNode({ invites, nodes, standing, trustRoot, assignmentKey, rights, secrets, clock, log }),
    loop: new FollowLoop(standing, new BusStartedRollouts(bus), log),
    invites: new InviteNode(invites, secrets, { url, creds }, clock),
    rollCall,
    syncs: new SyncNode({ nodes, key: assignmentKey, links: new S3ReleaseLinks(store, clock), clock, log }),
    reports: new TakeReport(nodes),
  };
}

class FleetModule {}

export async function fleetModule(deps: Deps): Promise<DynamicModule> {
  const app = await wire(deps);
  return { module: FleetModule, controllers: [FleetController], providers: [{ provide: FLEET_APP, useFactory: () => app }] };
}
