import type { Clock } from '@edgeloop/runtime';
import type { CommandRollout } from './app/command-rollout.ts';
import type { Field } from './app/field.ts';
import type { OrderRollout } from './app/order-rollout.ts';
import type { TakeReport } from './app/take-report.ts';

/** Injection token of the service's use-cases. */
export const ROLLOUT_APP = Symbol('ROLLOUT_APP');

export interface RolloutApp {
  readonly orders: OrderRollout;
  readonly commands: CommandRollout;
  readonly reports: TakeReport;
  readonly field: Field;
  readonly clock: Clock;
}
