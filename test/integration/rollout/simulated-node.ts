import { randomUUID } from 'node:crypto';
import { connectNode } from '@edgeloop/bus';
import type { NodeBus } from '@edgeloop/bus';
import { HISTOGRAM_BINS, NodeEnroll, NodeHeartbeat, NodeReport, NodeSync, NodeTelemetry, Desired } from '@edgeloop/contracts';
import type { DeploymentPhase, PayloadOf, ReplyOf, RunningModel, TrustAnchors } from '@edgeloop/contracts';
import { JOIN_INBOX_PREFIX, verifyDesired } from '@edgeloop/trust';
import { createUser } from '@nats-io/jwt';

/**
 * How the node takes a release.
 * - `serves`: runs it and sees people. `blind`: runs it, healthy, and sees nothing.
 * - `rejects`: its goldens do not match. `hangs`: never gets it running. `falls-back`: runs it, claims success, and goes back.
 */
export type Manner = 'serves' | 'blind' | 'rejects' | 'hangs' | 'falls-back';

const BEAT_MS = 100;
const FRAMES_PER_BEAT = 5;
const BEATS_PER_WINDOW = 3;
const PEOPLE_PER_FRAME = 2;

export interface JoinToken {
  readonly url: string;
  readonly creds: string;
  readonly inviteId: string;
  readonly secret: string;
}

export function readToken(joinToken: string): JoinToken {
  return JSON.parse(Buffer.from(joinToken, 'base64url').toString('utf8')) as JoinToken;
}

export interface NodeKey {
  readonly publicKey: string;
  readonly seed: string;
}

export function newNodeKey(): NodeKey {
  const key = createUser();
  return { publicKey: key.getPublicKey(), seed: new TextDecoder().decode(key.getSeed()) };
}

/** Asks to be enrolled with the rights of a join token and nothing else. */
export async function askToJoin(token: JoinToken, nodeId: string, key: NodeKey): Promise<ReplyOf<typeof NodeEnroll>> {
  const bus = connectNode({ url: token.url, nodeId, creds: { text: token.creds }, inboxPrefix: JOIN_INBOX_PREFIX });
  try {
    await bus.ready(10_000);
    const { inviteId, secret } = token;
    return await bus.ask(NodeEnroll, { inviteId, secret, nodeId, publicKey: key.publicKey, attributes: { site: 'north' } });
  } finally {
    await bus.close();
  }
}

/** Speaks a node's side of the real contracts over the real bus, with a real node's rights. Only camera and model are left out. */
export class SimulatedNode {
  readonly nodeId: string;
  readonly bus: NodeBus;
  readonly ran: string[] = [];
  readonly #trust: TrustAnchors;
  readonly #mannerOf: (releaseId: string, nodeId: string) => Manner;
  readonly #epoch = randomUUID();
  readonly #timer: NodeJS.Timeout;
  #sequence = 0;
  #frames = 0;
  #beats = 0;
  #running: RunningModel | null = null;
  #phase: DeploymentPhase = 'idle';
  #syncing = false;
  accepted: Desired | undefined;
  lastLinks: Readonly<Record<string, string>> = {};

  constructor(options: {
    url: string;
    nodeId: string;
    key: NodeKey;
    enrolled: ReplyOf<typeof NodeEnroll> & { enrolled: true };
    mannerOf: (releaseId: string, nodeId: string) => Manner;
  }) {
    const { url, nodeId, key, enrolled, mannerOf } = options;
    this.nodeId = nodeId;
    this.#trust = enrolled.trust;
    this.#mannerOf = mannerOf;
    this.bus = connectNode({ url, nodeId, creds: { jwt: enrolled.userJwt, seed: key.seed } });
    this.bus.onBell(() => void this.sync());
    this.#timer = setInterval(() => void this.#live(), BEAT_MS);
  }

  get running(): string | null {
    return this.#running?.releaseId ?? null;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.bus.close();
  }

  /** The node asks; the answer counts only when the assignment key signed it and it is newer. */
  async sync(): Promise<void> {
    if (this.#syncing) return;
    this.#syncing = true;
    try {
      const { desired, links } = await this.bus.ask(NodeSync, { nodeId: this.nodeId, haveGeneration: this.accepted?.generation ?? 0 });
      if (desired === null) return;
      const document = Desired.parse(JSON.parse(verifyDesired(desired, this.#trust.assignmentKeys)));
      this.lastLinks = links;
      if (document.nodeId !== this.nodeId || document.generation <= (this.accepted?.generation ?? 0)) return;
      this.accepted = document;
      await this.#take(document);
    } catch {
      // The bus or the service is away: the node lives on and asks again with its next heartbeat but nine.
    } finally {
      this.#syncing = false;
    }
  }

  async #take(desired: Desired): Promise<void> {
    const { release } = desired;
    this.#phase = 'idle';
    if (release === null) this.#running = null;
    if (release === null || release.releaseId === this.#running?.releaseId) return;
    const before = this.#running;
    const manner = this.#mannerOf(release.releaseId, this.nodeId);
    if (manner === 'hangs') this.#phase = 'downloading';
    else if (manner === 'rejects') await this.#say(desired, { outcome: 'rejected', reason: 'golden-mismatch' });
    else {
      this.#run({ releaseId: release.releaseId, modelDigest: release.modelDigest, generation: desired.generation });
      await this.#say(desired, { outcome: 'committed', reason: null });
      if (manner === 'falls-back') setTimeout(() => this.#run(before), BEAT_MS * 5);
    }
  }

  /** Says that what it was last told to take cannot be taken. */
  async reportFailure(reason: string): Promise<void> {
    if (this.accepted !== undefined) await this.#say(this.accepted, { outcome: 'failed', reason });
  }

  #run(model: RunningModel | null): void {
    this.#running = model;
    if (model !== null) this.ran.push(model.releaseId);
  }

  async #say(desired: Desired, said: Pick<PayloadOf<typeof NodeReport>, 'outcome' | 'reason'>): Promise<void> {
    const { release, generation } = desired;
    if (release === null) return;
    const facts = { nodeId: this.nodeId, epoch: this.#epoch, sequence: this.#sequence++, at: new Date().toISOString() };
    const about = {
      generation,
      rolloutId: release.rolloutId,
      releaseId: release.releaseId,
      phase: this.#phase,
      detail: null,
      running: this.#running,
    };
    const id = `${this.nodeId}.${this.#epoch}.${facts.sequence}`;
    await this.bus.publishFact(NodeReport, { ...facts, ...about, ...said }, { id }).catch(() => undefined);
  }

  async #live(): Promise<void> {
    this.#beats++;
    if (this.#running !== null) this.#frames += FRAMES_PER_BEAT;
    this.bus.signal(NodeHeartbeat, this.#heartbeat());
    if (this.#beats % 10 === 0) void this.sync();
    if (this.#beats % BEATS_PER_WINDOW === 0) await this.#tellWindow();
  }

  #heartbeat(): PayloadOf<typeof NodeHeartbeat> {
    return {
      nodeId: this.nodeId,
      epoch: this.#epoch,
      sequence: this.#sequence++,
      at: new Date().toISOString(),
      running: this.#running,
      phase: this.#phase,
      desiredGeneration: this.accepted?.generation ?? 0,
      policyVersion: this.accepted?.policy.version ?? 0,
      framesTotal: this.#frames,
      framesPerSecond: FRAMES_PER_BEAT * (1000 / BEAT_MS),
      inferenceErrors: 0,
      lastInferenceAgoMs: this.#running === null ? null : 10,
      spool: { items: 0, bytes: 0, shed: 0 },
      metadataStaleSince: null,
    };
  }

  async #tellWindow(): Promise<void> {
    const model = this.#running;
    const frames = model === null ? 0 : FRAMES_PER_BEAT * BEATS_PER_WINDOW;
    const blind = model === null || this.#mannerOf(model.releaseId, this.nodeId) === 'blind';
    const sequence = this.#sequence++;
    const at = new Date().toISOString();
    const window = {
      nodeId: this.nodeId,
      epoch: this.#epoch,
      sequence,
      from: at,
      to: at,
      releaseId: model?.releaseId ?? null,
      modelDigest: model?.modelDigest ?? null,
      frames,
      emptyFrames: blind ? frames : 0,
      framesPerSecond: 50,
      inferenceErrors: 0,
      latencyMs: { p50: 1, p95: 2 },
      brightness: { mean: 0.5, min: 0.4, max: 0.6 },
      sharpness: { mean: 10 },
      classes: [
        { classId: 0, detections: blind ? 0 : frames * PEOPLE_PER_FRAME, scoreHistogram: Array.from({ length: HISTOGRAM_BINS }, () => 0) },
      ],
    };
    const id = `${this.nodeId}.${this.#epoch}.window.${sequence}`;
    await this.bus.publishFact(NodeTelemetry, { nodeId: this.nodeId, windows: [window] }, { id }).catch(() => undefined);
  }
}
