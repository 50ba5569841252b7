import { mkdir, mkdtemp, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectBus } from '@edgeloop/bus';
import type { Bus } from '@edgeloop/bus';
import { collectorService } from '@edgeloop/collector';
import { AskInvite, NodeHeartbeat, PackageBuilt, ReleasePublished, RolloutAssigned } from '@edgeloop/contracts';
import type { NodeReport, PayloadOf, RolloutRelease } from '@edgeloop/contracts';
import { fleetService } from '@edgeloop/fleet';
import { startService } from '@edgeloop/nest-bus';
import type { RunningService } from '@edgeloop/nest-bus';
import { publisherService } from '@edgeloop/publisher';
import { StoreConfig, readConfig } from '@edgeloop/runtime';
import { contentKey, digestOf, storeFromConfig } from '@edgeloop/store';
import type { ObjectStore } from '@edgeloop/store';
import { eventually, testEngines } from '@edgeloop/testkit';
import type { TestEngines } from '@edgeloop/testkit';
import { AgentProcess } from './agent-process.ts';
import { blockPackage, blockPicture } from './block-package.ts';
import type { BlockPackageOptions } from './block-package.ts';

export const SITE_START_MS = 180_000;
/** Anything that a node does is done well within this, also on a busy machine. */
export const PATIENCE = { deadlineMs: 60_000, pollMs: 100 };

export type Heartbeat = PayloadOf<typeof NodeHeartbeat>;
export type Report = PayloadOf<typeof NodeReport>;

/** Real servers, the real fleet, publisher and collector, and real agents in processes of their own. */
export class EdgeSite {
  readonly engines: TestEngines;
  readonly bus: Bus;
  readonly folder: string;
  readonly store: ObjectStore;
  readonly beats = new Map<string, Heartbeat[]>();
  readonly #services: RunningService[] = [];
  readonly #agents = new Set<AgentProcess>();
  #assignments = 0;

  private constructor(engines: TestEngines, bus: Bus, folder: string) {
    this.engines = engines;
    this.bus = bus;
    this.folder = folder;
    this.store = storeFromConfig(readConfig('spec', StoreConfig, { ...engines.environment }));
  }

  static async open(frames = 40): Promise<EdgeSite> {
    const engines = await testEngines({ store: true });
    const { NATS_URL = '', NATS_CREDS = '' } = engines.environment;
    const bus = await connectBus({ service: 'edge-spec', url: NATS_URL, creds: { path: NATS_CREDS } });
    await bus.provision();
    const site = new EdgeSite(engines, bus, await mkdtemp(join(tmpdir(), 'edgeloop-edge-')));
    await site.#writeFrames(frames);
    bus.onSignal(NodeHeartbeat, (beat) => void site.beats.set(beat.nodeId, [...(site.beats.get(beat.nodeId) ?? []), beat]));
    const environment = { ...engines.environment, EDGELOOP_DATA_DIR: join(site.folder, 'services'), LOG_LEVEL: 'error' };
    site.#services.push(
      await startService(publisherService, environment),
      await startService(fleetService, environment),
      await startService(collectorService, environment),
    );
    return site;
  }

  get frames(): string {
    return join(this.folder, 'frames');
  }

  nodeFolder(nodeId: string): string {
    return join(this.folder, 'nodes', nodeId);
  }

  /** Makes and publishes a release; resolves when it is in the repository. */
  async publish(options: BlockPackageOptions): Promise<RolloutRelease> {
    const { manifest, model, archive } = await blockPackage(options);
    const runId = `run-${options.version}`;
    const stored = await this.store.put({ bucket: 'runs', key: contentKey('packages', digestOf(archive), 'zip') }, archive);
    const weights = await this.store.put({ bucket: 'runs', key: contentKey('models', digestOf(model), 'onnx') }, model);
    const packageId = `pkg-${options.version}`;
    await this.bus.publish(PackageBuilt, { packageId, runId, archive: stored, model: weights, manifest }, { id: `${packageId}-built` });
    return eventually(async () => {
      const found = await this.bus.lastOf(ReleasePublished, { releaseId: `blocks-${options.version}` });
      if (found === undefined) throw new Error(`${options.version} is not published yet`);
      const { releaseId, name, version, targetPath, packageDigest, packageBytes, modelDigest } = found.payload;
      return { releaseId, name, version, targetPath, packageDigest, packageBytes, modelDigest };
    }, PATIENCE);
  }

  /** What a rollout would say; the fleet signs and serves it. */
  async assign(nodeId: string, release: RolloutRelease | null, rolloutId = `rollout-${this.#assignments}`): Promise<void> {
    const assignmentId = `assignment-${this.#assignments++}`;
    await this.bus.publish(RolloutAssigned, { rolloutId, assignmentId, kind: 'offer', release, nodeIds: [nodeId] }, { id: assignmentId });
  }

  async invite(nodeId: string): Promise<string> {
    return eventually(async () => (await this.bus.ask(AskInvite, { nodeId })).joinToken, PATIENCE);
  }

  /** Quick intervals, so that a test waits for the node and not for a clock. */
  environment(nodeId: string, more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      EDGELOOP_NODE_DIR: this.nodeFolder(nodeId),
      EDGELOOP_NODE_ID: nodeId,
      EDGELOOP_SOURCE: `folder:${this.frames}`,
      EDGELOOP_FPS: '10',
      EDGELOOP_HEARTBEAT_MS: '200',
      EDGELOOP_TELEMETRY_WINDOW_MS: '500',
      EDGELOOP_PROBE_FRAMES: '5',
      EDGELOOP_PROBE_MS: '500',
      EDGELOOP_SYNC_MS: '2000',
      EDGELOOP_UPLOAD_POLL_MS: '200',
      ...more,
    };
  }

  start(environment: Readonly<Record<string, string>>): AgentProcess {
    const agent = new AgentProcess(environment);
    this.#agents.add(agent);
    return agent;
  }

  async join(nodeId: string, more: Readonly<Record<string, string>> = {}): Promise<AgentProcess> {
    return this.start(this.environment(nodeId, { EDGELOOP_JOIN_TOKEN: await this.invite(nodeId), ...more }));
  }

  lastBeat(nodeId: string): Heartbeat | undefined {
    return this.beats.get(nodeId)?.at(-1);
  }

  /** A heartbeat that came after now and shows this. */
  async shows(nodeId: string, expected: { releaseId: string | null; phase?: string }): Promise<Heartbeat> {
    const from = this.beats.get(nodeId)?.length ?? 0;
    return eventually(() => {
      const beat = this.beats.get(nodeId)?.slice(from).at(-1);
      const running = beat?.running?.releaseId ?? null;
      const { releaseId, phase = 'idle' } = expected;
      if (beat !== undefined && running === releaseId && beat.phase === phase) return beat;
      throw new Error(`${nodeId} shows ${JSON.stringify(beat)}, expected ${JSON.stringify(expected)}; ${JSON.stringify(this.troubles())}`);
    }, PATIENCE);
  }

  async reports(nodeId: string): Promise<Report[]> {
    const found: Report[] = [];
    for await (const { payload } of this.bus.history('NODES', { subject: `node.v1.${nodeId}.report` })) found.push(payload as Report);
    return found;
  }

  async outcomeOf(nodeId: string, releaseId: string, rolloutId?: string): Promise<Report> {
    return eventually(async () => {
      const reports = await this.reports(nodeId);
      const found = reports.findLast(
        (report) =>
          report.releaseId === releaseId && report.outcome !== null && (rolloutId === undefined || report.rolloutId === rolloutId),
      );
      if (found !== undefined) return found;
      throw new Error(`no outcome of ${releaseId}: ${JSON.stringify(reports.slice(-3))}; ${JSON.stringify(this.troubles())}`);
    }, PATIENCE);
  }

  /** Digest that the node's `current` link names, as it lies on the disk. */
  async currentSlot(nodeId: string): Promise<string | null> {
    const target = await readlink(join(this.nodeFolder(nodeId), 'current')).catch(() => null);
    return target === null ? null : `sha256:${target.slice('slots/'.length)}`;
  }

  /** The last warnings and errors of the agents, for failed expectations. */
  troubles(): unknown[] {
    return [...this.#agents].flatMap((agent) => [
      ...agent.log.filter((line) => Number(line['level']) >= 40).slice(-4),
      ...(agent.stderr === '' ? [] : [agent.stderr.slice(-400)]),
    ]);
  }

  async stopAgents(): Promise<void> {
    await Promise.all([...this.#agents].map((agent) => agent.end('SIGKILL')));
  }

  async close(): Promise<void> {
    await this.stopAgents();
    await Promise.all(this.#services.map((service) => service.stop()));
    await this.bus.drain();
    await this.engines.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #writeFrames(count: number): Promise<void> {
    await mkdir(this.frames, { recursive: true });
    for (let index = 0; index < count; index += 1) {
      await writeFile(join(this.frames, `${String(index).padStart(3, '0')}.jpg`), await blockPicture(index));
    }
  }
}
