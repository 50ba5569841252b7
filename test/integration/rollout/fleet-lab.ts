import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectBus } from '@edgeloop/bus';
import type { Bus } from '@edgeloop/bus';
import { AskInvite, AskNodes, AskRollouts, ReleasePublished, RolloutAssigned, RolloutEnded } from '@edgeloop/contracts';
import type { EventContract, NodeView, PayloadOf, RolloutStrategy, RolloutView } from '@edgeloop/contracts';
import { fleetService } from '@edgeloop/fleet';
import { startService } from '@edgeloop/nest-bus';
import type { RunningService } from '@edgeloop/nest-bus';
import { rolloutService } from '@edgeloop/rollout';
import { StoreConfig, readConfig } from '@edgeloop/runtime';
import { RELEASES_BUCKET, storeFromConfig } from '@edgeloop/store';
import { eventually, testEngines } from '@edgeloop/testkit';
import type { TestEngines } from '@edgeloop/testkit';
import { loadOrMakeKeys, planFirst, renderChange, repositoryPathOf } from '@edgeloop/trust';
import { SimulatedNode, askToJoin, newNodeKey, readToken } from './simulated-node.ts';
import type { Manner } from './simulated-node.ts';

export const STRATEGY: RolloutStrategy = {
  waves: [{ count: 1 }, { percent: 50 }, { percent: 100 }],
  deploymentTimeoutMs: 60_000,
  soakMs: 400,
  abort: { failedPercent: 20, failedCountMin: 1 },
  seed: 3,
};

/** Servers and services start within this, also on a busy machine. */
export const LAB_START_MS = 180_000;
/** A wave on a busy machine is done well within this; nothing waits for it that long. */
export const PATIENCE = { deadlineMs: 50_000, pollMs: 100 };

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Real servers, the two real services, and nodes that speak the real contracts. */
export class FleetLab {
  readonly engines: TestEngines;
  readonly environment: NodeJS.ProcessEnv;
  readonly bus: Bus;
  readonly nodes = new Map<string, SimulatedNode>();
  readonly manners = new Map<string, Manner>();
  readonly services: RunningService[] = [];
  readonly #dataDir: string;

  private constructor(engines: TestEngines, bus: Bus, dataDir: string) {
    this.engines = engines;
    this.bus = bus;
    this.#dataDir = dataDir;
    const auto = JSON.stringify({ channel: 'production', strategy: STRATEGY });
    this.environment = {
      ...engines.environment,
      EDGELOOP_DATA_DIR: dataDir,
      ROLLOUT_AUTO: auto,
      ROLLOUT_LOOK_MS: '100',
      LOG_LEVEL: 'error',
    };
  }

  static async open(): Promise<FleetLab> {
    const engines = await testEngines({ store: true });
    const { NATS_URL, NATS_CREDS } = engines.environment;
    const bus = await connectBus({ service: 'lab', url: NATS_URL as string, creds: { path: NATS_CREDS as string } });
    await bus.provision();
    return new FleetLab(engines, bus, await mkdtemp(join(tmpdir(), 'edgeloop-fleet-')));
  }

  get store() {
    return storeFromConfig(readConfig('lab', StoreConfig, this.environment));
  }

  startFleet(): Promise<RunningService> {
    return this.#started(startService(fleetService, this.environment));
  }

  startRollout(environment: NodeJS.ProcessEnv = {}): Promise<RunningService> {
    return this.#started(startService(rolloutService, { ...this.environment, ...environment }));
  }

  async #started(starting: Promise<RunningService>): Promise<RunningService> {
    const service = await starting;
    this.services.push(service);
    return service;
  }

  /** The first metadata of a real repository, as the publisher writes it. */
  async publishTrustRoot(): Promise<void> {
    const keys = await loadOrMakeKeys(join(this.#dataDir, 'publisher'));
    for (const { path, bytes } of renderChange(keys, undefined, planFirst(Date.now()), undefined).files) {
      await this.store.put({ bucket: RELEASES_BUCKET, key: path }, bytes, { mode: 'replace' });
    }
  }

  async publish(version: string, manner: Manner = 'serves', channel: 'production' | 'staging' = 'production'): Promise<string> {
    const releaseId = `hardhat-${version}`;
    this.manners.set(releaseId, manner);
    const archive = new TextEncoder().encode(`package of ${releaseId}`);
    const packageDigest = `sha256:${sha256(`package of ${releaseId}`)}` as const;
    const targetPath = `hardhat/hardhat-${version}.zip`;
    const key = repositoryPathOf(targetPath, packageDigest.slice('sha256:'.length));
    const model = await this.store.put({ bucket: RELEASES_BUCKET, key }, archive);
    await this.bus.publish(
      ReleasePublished,
      {
        releaseId,
        packageId: `package-${version}`,
        runId: `run-${version}`,
        name: 'hardhat',
        version,
        channel,
        targetPath,
        packageDigest,
        packageBytes: archive.byteLength,
        modelDigest: `sha256:${sha256(`model of ${releaseId}`)}`,
        model,
        classes: ['helmet', 'head'],
      },
      { id: `${releaseId}.published` },
    );
    return releaseId;
  }

  async invite(options: { validForMs?: number; nodeId?: string } = {}) {
    return readToken((await this.bus.ask(AskInvite, options)).joinToken);
  }

  async join(nodeId: string): Promise<SimulatedNode> {
    const key = newNodeKey();
    const token = await this.invite();
    const enrolled = await askToJoin(token, nodeId, key);
    if (!enrolled.enrolled) throw new Error(`not enrolled: ${enrolled.say}`);
    const node = new SimulatedNode({
      url: token.url,
      nodeId,
      key,
      enrolled,
      mannerOf: (releaseId, of) => this.manners.get(`${releaseId}@${of}`) ?? this.manners.get(releaseId) ?? 'serves',
    });
    this.nodes.set(nodeId, node);
    return node;
  }

  async views(): Promise<NodeView[]> {
    return (await this.bus.ask(AskNodes, {})).nodes;
  }

  async rollout(rolloutId: string): Promise<RolloutView> {
    const { rollouts } = await this.bus.ask(AskRollouts, {});
    const found = rollouts.find((rollout) => rollout.rolloutId === rolloutId);
    if (found === undefined) throw new Error(`no rollout ${rolloutId} yet`);
    return found;
  }

  /** Waits for the end that is wanted, and says what there is instead. */
  ended(rolloutId: string, outcome: PayloadOf<typeof RolloutEnded>['outcome']): Promise<PayloadOf<typeof RolloutEnded>> {
    return eventually(async () => {
      const last = await this.bus.lastOf(RolloutEnded, { rolloutId });
      if (last === undefined) throw new Error(`${rolloutId} has not ended: ${JSON.stringify(await this.rollout(rolloutId))}`);
      if (last.payload.outcome !== outcome) throw new Error(`${rolloutId} ended otherwise: ${JSON.stringify(last.payload)}`);
      return last.payload;
    }, PATIENCE);
  }

  async events<C extends EventContract>(contract: C, rolloutId: string): Promise<PayloadOf<C>[]> {
    const found: PayloadOf<C>[] = [];
    for await (const stored of this.bus.history('LOOP', { subject: `rollout.v1.${rolloutId}.*` })) {
      if (stored.contract.type === contract.type) found.push(stored.payload as PayloadOf<C>);
    }
    return found;
  }

  /** Nodes that were ever offered the release, in the order of the stream. */
  async offered(rolloutId: string): Promise<string[]> {
    return (await this.events(RolloutAssigned, rolloutId)).filter(({ kind }) => kind === 'offer').flatMap(({ nodeIds }) => nodeIds);
  }

  /** Ends a service as a kill would: its connection is gone in the middle of what it does, nothing is drained or said. */
  async crash(service: RunningService): Promise<void> {
    this.services.splice(this.services.indexOf(service), 1);
    await service.bus.connection.close();
    await service.stop().catch(() => undefined);
  }

  everyNodeRuns(releaseId: string | null): Promise<void> {
    return eventually(() => {
      const running = Object.fromEntries([...this.nodes.values()].map((node) => [node.nodeId, node.running]));
      const wrong = Object.entries(running).filter(([, runs]) => runs !== releaseId);
      if (wrong.length > 0) throw new Error(`not all run ${releaseId}: ${JSON.stringify(running)}`);
    }, PATIENCE);
  }

  async close(): Promise<void> {
    await Promise.all([...this.nodes.values()].map((node) => node.stop()));
    await Promise.all(this.services.map((service) => service.stop()));
    await this.bus.drain();
    await this.engines.stop();
    await rm(this.#dataDir, { recursive: true, force: true });
  }
}
