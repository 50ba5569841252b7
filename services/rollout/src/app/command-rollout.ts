import { Refusal } from '@edgeloop/bus';
import type { AskRolloutCommand, PayloadOf, RolloutView } from '@edgeloop/contracts';
import type { Clock } from '@edgeloop/runtime';
import type { Rollout } from '../domain/rollout.ts';
import { viewOf } from './rollout-view.ts';
import type { Rollouts } from './rollouts.ts';

type Command = PayloadOf<typeof AskRolloutCommand>['command'];

/** The rollout is already where the command would take it: said again, it does no harm. */
function isDone({ status }: Rollout, command: Command): boolean {
  switch (command) {
    case 'pause':
      return status.kind === 'paused';
    case 'resume':
      return status.kind === 'running';
    case 'abort':
      return (status.kind === 'halting' || status.kind === 'ended') && status.outcome === 'aborted';
    default: {
      const never: never = command;
      return never;
    }
  }
}

function refused(rollout: Rollout, command: Command): Refusal {
  const { status, reason } = viewOf(rollout);
  switch (rollout.status.kind) {
    case 'ended':
      return new Refusal(
        'rollout-ended',
        `${rollout.rolloutId} is ${status} (${reason}): it cannot be told to ${command} any more; start another`,
      );
    case 'halting':
      return new Refusal('rollout-halting', `${rollout.rolloutId} brings its nodes back (${reason}): it cannot be told to ${command}`);
    default:
      return new Refusal('rollout-starting', `${rollout.rolloutId} has not begun: try again in a moment`, { retryable: true });
  }
}

export class CommandRollout {
  readonly #rollouts: Rollouts;
  readonly #clock: Clock;

  constructor(rollouts: Rollouts, clock: Clock) {
    this.#rollouts = rollouts;
    this.#clock = clock;
  }

  async command(rolloutId: string, command: Command, by: string): Promise<{ rollout: RolloutView }> {
    const before = await this.#found(rolloutId);
    const changed = await this.#rollouts.give(before, { type: command, by, at: this.#clock.now() });
    const after = await this.#found(rolloutId);
    if (!changed && !isDone(after, command)) throw refused(after, command);
    return { rollout: viewOf(after) };
  }

  async list(limit: number): Promise<{ rollouts: RolloutView[] }> {
    return { rollouts: (await this.#rollouts.newestFirst()).slice(0, limit).map(viewOf) };
  }

  async #found(rolloutId: string): Promise<Rollout> {
    const rollout = await this.#rollouts.find(rolloutId);
    if (rollout !== undefined) return rollout;
    throw new Refusal('rollout-unknown', `no rollout ${rolloutId}: "edgeloop rollout" lists those that exist`);
  }
}
