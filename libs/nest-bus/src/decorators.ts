import 'reflect-metadata';
import type { MessageContext } from '@edgeloop/bus';
import {
  type Contract,
  type EventContract,
  type PayloadOf,
  type ReplyOf,
  type RequestContract,
  type SignalContract,
  typeId,
} from '@edgeloop/contracts';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { PARAM_ARGS_METADATA } from '@nestjs/microservices/constants';

/** What a decorator leaves for the strategy, in the handler's `extras`. */
export interface Declared {
  readonly contract: Contract;
  /** `Controller.method`, for error messages. */
  readonly handler: string;
  readonly concurrency?: number;
}

export const DECLARED = 'edgeloop';

type EventMethod<C extends EventContract | SignalContract> = (payload: PayloadOf<C>, context: MessageContext) => Promise<void> | void;
type RequestMethod<C extends RequestContract> = (payload: PayloadOf<C>, context: MessageContext) => Promise<ReplyOf<C>> | ReplyOf<C>;
/** Generic in the method itself, so that one that needs only the payload fits too. */
type Decorator<Wanted> = <M extends Wanted>(target: object, key: string, descriptor: TypedPropertyDescriptor<M>) => void;

export interface OnEventOptions {
  /** Handlers of this event's stream that run at once in one replica; the largest wish of a service's handlers of the stream holds. */
  readonly concurrency?: number;
}

/** `(payload, context)` for each stored event; resolved means done, thrown means settled by the table of `@edgeloop/bus`. */
export function OnEvent<C extends EventContract>(contract: C, options: OnEventOptions = {}): Decorator<EventMethod<C>> {
  return (target, key, descriptor) => {
    EventPattern(typeId(contract), extras(contract, target, key, options))(target, key, descriptor as never);
    passPayloadAndContext(target, key);
  };
}

/** `(payload, context)` for each signal that arrives; one that is lost stays lost. */
export function OnSignal<C extends SignalContract>(contract: C): Decorator<EventMethod<C>> {
  return (target, key, descriptor) => {
    EventPattern(typeId(contract), extras(contract, target, key))(target, key, descriptor as never);
    passPayloadAndContext(target, key);
  };
}

/** `(payload, context)` returns the reply; throw a `Refusal` to say no with a code and words. */
export function OnRequest<C extends RequestContract>(contract: C): Decorator<RequestMethod<C>> {
  return (target, key, descriptor) => {
    MessagePattern(typeId(contract), extras(contract, target, key))(target, key, descriptor as never);
    passPayloadAndContext(target, key);
  };
}

function extras(contract: Contract, target: object, key: string, options: OnEventOptions = {}): Record<string, unknown> {
  const declared: Declared = { contract, handler: `${target.constructor.name}.${key}`, ...options };
  return { [DECLARED]: declared };
}

/**
 * Nest's way of filling in parameters (`@Payload()`, `@Ctx()` and the pipes on them) costs more than the handler. Told that there are
 * none to fill in, it passes the arguments as they come: `(payload, context)`. A method that has such decorators keeps them.
 */
function passPayloadAndContext(target: object, key: string): void {
  const decorated: unknown = Reflect.getMetadata(PARAM_ARGS_METADATA, target.constructor, key);
  if (decorated === undefined) Reflect.defineMetadata(PARAM_ARGS_METADATA, {}, target.constructor, key);
}
