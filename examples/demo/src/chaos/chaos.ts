import { sleep } from '@edgeloop/runtime';
import type { Stack } from '@edgeloop/cli';
import {
  BASE_CAMPAIGN,
  CampaignClosed,
  CampaignStarted,
  PackageBuilt,
  RolloutWaveStarted,
  RunCompleted,
  RunStepStarted,
  TaskCreated,
} from '@edgeloop/contracts';
import type { PayloadOf } from '@edgeloop/contracts';
import type { LoggedEvent, TurnLog } from '../narration/turn-log.ts';
import { planChaos } from './plan.ts';
import type { Moment, Strike } from './plan.ts';

export interface Killed {
  readonly name: string;
  readonly atSecond: number;
}

/** The event that opens a moment of the turn that answers the drift. */
function momentOf({ type, payload }: LoggedEvent): Moment | undefined {
  switch (type) {
    case CampaignStarted.type:
      return (payload as PayloadOf<typeof CampaignStarted>).campaignId === BASE_CAMPAIGN ? undefined : 'campaign';
    case TaskCreated.type:
      return 'samples';
    case CampaignClosed.type:
      return 'labeling';
    case RunStepStarted.type: {
      const { step } = payload as PayloadOf<typeof RunStepStarted>;
      return step === 'pre-process' || step === 'train' || step === 'evaluate' ? step : undefined;
    }
    case RunCompleted.type:
      return 'package';
    case PackageBuilt.type:
      return 'publish';
    case RolloutWaveStarted.type:
      return (payload as PayloadOf<typeof RolloutWaveStarted>).wave === 0 ? 'wave-1' : 'wave-2';
    default:
      return undefined;
  }
}

/** Kills each victim once with SIGKILL, in the turn and not before it; everything must come back by itself. */
export class Chaos {
  readonly #stack: Stack;
  readonly #pending: Strike[];
  readonly #startedAt = Date.now();
  readonly #signal: AbortSignal;
  readonly #tell: (text: string) => void;
  readonly killed: Killed[] = [];
  #armed = false;
  readonly #underWay = new Set<Promise<void>>();

  constructor(options: { stack: Stack; seed: number; node: string; signal: AbortSignal; tell: (text: string) => void }) {
    this.#stack = options.stack;
    this.#signal = options.signal;
    this.#tell = options.tell;
    const services = options.stack.supervisor
      .status()
      .map((program) => program.name)
      .filter((name) => !options.stack.isNode(name));
    this.#pending = [...planChaos([...services, ...options.stack.engines.map((engine) => engine.name), options.node], options.seed)];
  }

  follow(log: TurnLog): void {
    log.onEvent((event) => {
      const moment = momentOf(event);
      if (moment) this.reach(moment);
    });
  }

  /** The first model is out and the cameras have seen the day: from here on anything may die. */
  arm(): void {
    this.#armed = true;
    this.reach('day');
  }

  reach(moment: Moment): void {
    if (!this.#armed) return;
    for (const strike of this.#pending.filter((each) => each.moment === moment)) {
      this.#pending.splice(this.#pending.indexOf(strike), 1);
      const struck = this.#strike(strike).finally(() => this.#underWay.delete(struck));
      this.#underWay.add(struck);
    }
  }

  /** Strikes whose moment never came are made now, one after the other. */
  async finish(): Promise<void> {
    await Promise.all(this.#underWay);
    for (const strike of this.#pending.splice(0)) await this.#strike(strike);
  }

  async #strike({ victim, afterMs }: Strike): Promise<void> {
    await sleep(afterMs, this.#signal);
    if (this.#signal.aborted) return;
    const engine = this.#stack.engines.find((each) => each.name === victim);
    const done = engine ? await engine.kill('SIGKILL').then(() => true) : this.#stack.supervisor.kill(victim, 'SIGKILL');
    if (!done) return;
    this.killed.push({ name: victim, atSecond: (Date.now() - this.#startedAt) / 1000 });
    this.#tell(`chaos: ${victim} was killed with SIGKILL`);
  }
}
