import { isRetryable } from '@edgeloop/bus/node';
import type { NodeBus } from '@edgeloop/bus/node';
import { Desired, NodeSync } from '@edgeloop/contracts';
import type { ReplyOf, TrustAnchors } from '@edgeloop/contracts';
import type { Logger } from '@edgeloop/runtime';
import { AssignmentSignatureError, verifyDesired } from '@edgeloop/trust';
import { errorText } from '../domain/error-text.ts';
import { judgeDesired } from '../domain/desired.ts';
import { StepFailedError } from '../domain/failure.ts';
import type { RepositoryLinks } from '../ports.ts';
import { Bell, jittered } from './repeat.ts';
import type { Rhythm } from './repeat.ts';
import type { UpdateRunner } from './update-runner.ts';

export interface SyncDutyParts {
  readonly bus: Pick<NodeBus, 'ask' | 'onBell' | 'onStatus'>;
  readonly nodeId: string;
  readonly trust: TrustAnchors;
  readonly runner: Pick<UpdateRunner, 'state' | 'accept'>;
  readonly rhythm: Rhythm;
  readonly log: Logger;
}

type Answer = ReplyOf<typeof NodeSync>;

const ASK_TIMEOUT_MS = 10_000;
/** Between two questions, however often the bell rings. */
const GAP_MIN_MS = 100;

/** Asks for the whole signed desired state: when the bell rings, when the bus comes back, and now and then. */
export class SyncDuty implements RepositoryLinks {
  readonly #parts: SyncDutyParts;
  readonly #bell = new Bell();
  #underWay: Promise<Answer> | undefined;

  constructor(parts: SyncDutyParts) {
    this.#parts = parts;
    parts.bus.onBell(() => this.#bell.ring());
    parts.bus.onStatus((status) => {
      if (status.state === 'connected') this.#bell.ring();
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#sync().catch((cause: unknown) => {
        if (isRetryable(cause)) this.#parts.log.debug({ why: errorText(cause) }, 'nobody to sync with; the node goes on alone');
        else this.#parts.log.error({ err: cause }, 'the desired state could not be asked for');
      });
      await this.#bell.wait(jittered(this.#parts.rhythm), signal);
      await this.#bell.wait(GAP_MIN_MS, signal);
    }
  }

  /** Links that are good now. @throws StepFailedError `unreachable` */
  async links(): Promise<Readonly<Record<string, string>>> {
    try {
      return (await this.#sync()).links;
    } catch (cause) {
      throw new StepFailedError({ reason: 'unreachable', detail: `no links: ${errorText(cause)}`, severity: 'wait' }, { cause });
    }
  }

  /** Those who ask at the same time share the answer. */
  #sync(): Promise<Answer> {
    this.#underWay ??= this.#ask().finally(() => (this.#underWay = undefined));
    return this.#underWay;
  }

  async #ask(): Promise<Answer> {
    const { bus, nodeId, runner } = this.#parts;
    const haveGeneration = runner.state.node.desired?.generation ?? 0;
    const answer = await bus.ask(NodeSync, { nodeId, haveGeneration }, { timeoutMs: ASK_TIMEOUT_MS });
    if (answer.desired !== null) void this.#consider(answer.desired);
    return answer;
  }

  /** Not awaited by those who ask for links: they may be the very step that a newer desire ends. */
  async #consider(signed: NonNullable<Answer['desired']>): Promise<void> {
    const { nodeId, trust, runner, log } = this.#parts;
    try {
      const desired = Desired.parse(JSON.parse(verifyDesired(signed, trust.assignmentKeys)));
      const verdict = judgeDesired(runner.state.node.desired, desired, nodeId);
      if (verdict === 'foreign') log.error({ forNode: desired.nodeId }, 'a desired state of another node was offered; ignored');
      if (verdict !== 'newer') return;
      log.info(
        { generation: desired.generation, releaseId: desired.release?.releaseId, campaignId: desired.campaignId },
        'newer desired state',
      );
      await runner.accept(desired);
    } catch (cause) {
      const refused = cause instanceof AssignmentSignatureError;
      log.error({ err: cause, refused }, 'the offered desired state is not believed; what runs goes on');
    }
  }
}
